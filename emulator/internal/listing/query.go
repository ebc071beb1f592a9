package listing

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/internal/gateway"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// The page size of a request that names none, and the largest one.
const (
	defaultSize = 20
	maxSize     = 100
)

// Pages is how an API pages its lists.
type Pages struct {
	API   *wire.API
	Size  int  // of a page, if the request names none; 0 means 20
	Clamp bool // answers a request for more than 100 rows with 100, and does not refuse it
}

// Query is what a request asks of a list. Bad answers its first wrong parameter.
type Query struct {
	Field string // by which to order
	Bad   *wire.Answer

	api        *wire.API
	values     url.Values
	page, size int
	descending bool
}

// Query reads the parameters of a request for a list. fields are those that order_by allows.
func (ps *Pages) Query(r *http.Request, fields ...string) *Query {
	q := &Query{api: ps.API, page: 1, size: cmp.Or(ps.Size, defaultSize), Field: "created_at"}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		q.reject("query", wire.ReasonFormat, "it could not be parsed")
		return q
	}
	q.page = q.integer("page", q.page)
	q.size = q.integer("page_size", q.size)
	if q.size > maxSize {
		if !ps.Clamp {
			q.reject("page_size", wire.ReasonConstraint, "it must be at most 100")
		}
		q.size = maxSize
	}
	if by := q.values.Get("order_by"); by != "" {
		field, descending := strings.CutSuffix(by, "_desc")
		field, ascending := strings.CutSuffix(field, "_asc")
		q.Field, q.descending = field, descending
		if descending == ascending || !slices.Contains(fields, field) {
			q.reject("order_by", wire.ReasonConstraint, "it is not one of the possible values")
		}
	}
	return q
}

func (q *Query) integer(name string, otherwise int) int {
	text := q.values.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		q.reject(name, wire.ReasonFormat, "it must be a number")
		return otherwise
	case n < 1:
		q.reject(name, wire.ReasonConstraint, "it must be at least 1")
		return otherwise
	}
	return int(n)
}

// UUID reads an identifier to filter by.
func (q *Query) UUID(name string) (wire.UUID, bool) {
	text := q.values.Get(name)
	if text == "" {
		return wire.UUID{}, false
	}
	id, ok := wire.ParseUUID(text)
	if !ok {
		q.reject(name, wire.ReasonFormat, "it must be a UUID")
	}
	return id, ok
}

func (q *Query) reject(name, reason, help string) {
	if q.Bad == nil {
		q.Bad = q.api.InvalidArgument(name, reason, help)
	}
}

// offset of the page; it can be beyond all rows.
func (q *Query) offset() int { return min((q.page-1)*q.size, math.MaxInt32) }

// Rows are those of a list, in the order of the request.
func Rows[T Row](q *Query, l *List[T]) []T {
	if q.Field == "name" {
		return l.byName()
	}
	return l.Rows
}

// Named is the filter by name, if the request has one.
func Named[T Row](q *Query) []func(T) bool {
	name := q.values.Get("name")
	if name == "" {
		return nil
	}
	return []func(T) bool{func(r T) bool { return r.Title() == name }}
}

// Page answers with one page of rows under a name. fault is what goes wrong, or nil.
func Page[T Row](q *Query, fault *worlds.Fault, name string, all []T) *wire.Answer {
	all = unhidden(fault, all)
	shown := window(all, q.descending, q.offset(), q.size)
	total := len(all)
	if fault != nil {
		shown, total = spoil(fault, q.page, shown, total)
	}
	w := q.api.Writer()
	write(w, name, shown, total)
	return w.OK()
}

// window returns at most size rows from offset on, counted from the end in a
// descending order.
func window[T Row](rows []T, descending bool, offset, size int) []T {
	n := len(rows)
	if offset >= n {
		return nil
	}
	end := min(n, offset+size)
	if !descending {
		return rows[offset:end]
	}
	page := slices.Clone(rows[n-end : n-offset])
	slices.Reverse(page)
	return page
}

// unhidden are the rows that a fault leaves in a listing: without those whose name
// or reference the glob matches.
func unhidden[T Row](fault *worlds.Fault, all []T) []T {
	if fault == nil || fault.Effect() != "hide" {
		return all
	}
	hidden := func(name string) bool { return gateway.Match(fault.Hide, name) }
	return Filter(all, []func(T) bool{func(r T) bool { return !hidden(r.Title()) && !hidden(r.Ref()) }})
}

// spoil changes a page as a fault of one of these kinds requires.
func spoil[T Row](f *worlds.Fault, page int, shown []T, total int) ([]T, int) {
	switch f.Effect() {
	case "short_page":
		shown = shown[:max(0, len(shown)-max(1, f.Rows))]
	case "changed_total":
		total += page
	case "duplicate_row":
		switch len(shown) {
		case 0:
		case 1:
			shown = []T{shown[0], shown[0]}
		default:
			shown = append(shown[:len(shown)-1:len(shown)-1], shown[0])
		}
	}
	return shown, total
}

// write writes a page of rows and the total.
func write[T Row](w *wire.Writer, name string, rows []T, total int) {
	w.Open(name).Raw("[")
	for i, r := range rows {
		if i > 0 {
			w.Comma()
		}
		r.Write(w)
	}
	w.Raw("]")
	w.Next("total_count").Number(int64(total))
	w.Raw("}")
}
