package emulator

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The page size of a request that names none, and the largest one.
const (
	defaultPageSize = 20
	maxPageSize     = 100
)

// order is an order_by of the API.
type order struct {
	field      string
	descending bool
}

// params are the query parameters of a listing; bad answers the first wrong one.
type params struct {
	server *Server
	query  url.Values
	page   int
	size   int
	order  order
	bad    *answer
}

// params reads the parameters of a listing. fields are those that order_by allows.
func (s *Server) params(c *call, fields ...string) *params {
	p := &params{server: s, page: 1, size: s.settings.PageSizeDefault, order: order{field: "created_at"}}
	var err error
	if p.query, err = url.ParseQuery(c.http.URL.RawQuery); err != nil {
		p.reject("query", reasonFormat, "it could not be parsed")
		return p
	}
	p.page = p.integer("page", p.page)
	p.size = p.integer("page_size", p.size)
	if p.size > maxPageSize {
		if s.settings.OversizePage != "clamp" {
			p.reject("page_size", reasonConstraint, "it must be at most 100")
		}
		p.size = maxPageSize
	}
	if by := p.query.Get("order_by"); by != "" {
		field, descending := strings.CutSuffix(by, "_desc")
		field, ascending := strings.CutSuffix(field, "_asc")
		p.order = order{field, descending}
		if descending == ascending || !slices.Contains(fields, field) {
			p.reject("order_by", reasonConstraint, "it is not one of the possible values")
		}
	}
	return p
}

func (p *params) integer(name string, otherwise int) int {
	text := p.query.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		p.reject(name, reasonFormat, "it must be a number")
		return otherwise
	case n < 1:
		p.reject(name, reasonConstraint, "it must be at least 1")
		return otherwise
	}
	return int(n)
}

// uuid reads an identifier to filter by.
func (p *params) uuid(name string) (uuid, bool) {
	text := p.query.Get(name)
	if text == "" {
		return uuid{}, false
	}
	id, ok := parseUUID(text)
	if !ok {
		p.reject(name, reasonFormat, "it must be a UUID")
	}
	return id, ok
}

func (p *params) reject(name, reason, help string) {
	if p.bad == nil {
		p.bad = p.server.invalidArgument(name, reason, help)
	}
}

// offset of the page; it can be beyond all rows.
func (p *params) offset() int { return min((p.page-1)*p.size, math.MaxInt32) }

// rows are those of a listing, in the order of the request.
func rows[T row](p *params, l *listing[T]) []T {
	if p.order.field == "name" {
		return l.byName()
	}
	return l.rows
}

// page answers with one page of rows, which a fault may spoil.
func page[T row](s *Server, c *call, p *params, name string, all []T) *answer {
	all = unhidden(c, all)
	shown := window(all, p.order.descending, p.offset(), p.size)
	total := len(all)
	if c.fault != nil {
		shown, total = spoilPage(c.fault, p.page, shown, total)
	}
	w := s.writer()
	list(w, name, shown, total)
	return jsonAnswer(http.StatusOK, w.buf)
}

// named is the filter by name, if the request has one.
func named[T row](p *params) []func(T) bool {
	name := p.query.Get("name")
	if name == "" {
		return nil
	}
	return []func(T) bool{func(r T) bool { return r.title() == name }}
}

// owned are the filters by name, organization and project that the request has.
// of is the namespace of a row.
func owned[T row](p *params, of func(T) *namespace) []func(T) bool {
	checks := named[T](p)
	if id, ok := p.uuid("organization_id"); ok {
		checks = append(checks, func(r T) bool { return of(r).organizationID == id })
	}
	if id, ok := p.uuid("project_id"); ok {
		checks = append(checks, func(r T) bool { return of(r).projectID == id })
	}
	return checks
}
