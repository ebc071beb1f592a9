package emulator

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// faults knows which fault is due for which request.
type faults struct {
	mu   sync.Mutex
	list []*armed
}

// armed is a fault with what it has seen so far.
type armed struct {
	worlds.Fault
	path, ref      []string // segments of the globs; nil matches everything
	matched, times int
}

func arm(list []worlds.Fault) []*armed {
	var all []*armed
	for _, f := range list {
		a := &armed{Fault: f}
		if f.Path != "" {
			below, region := worlds.CutRegion(f.Path)
			if slices.Contains(worlds.Regions(), region) {
				a.Region = region
			}
			a.path = strings.Split(strings.ReplaceAll(strings.TrimPrefix(below, "/"), "{region}", "*"), "/")
		}
		if f.Ref != "" {
			a.ref = strings.Split(f.Ref, "/")
		}
		all = append(all, a)
	}
	return all
}

// pick returns the first fault that is due for a request, or nil. Every fault
// counts every request that it matches, whichever fault happens.
func (fs *faults) pick(c *call, refOf func(route) string) *worlds.Fault {
	if len(fs.list) == 0 {
		return nil
	}
	about := about{call: c, refOf: refOf}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var due *armed
	for _, a := range fs.list {
		if !a.matches(&about) {
			continue
		}
		a.matched++
		if due == nil && (a.Every == 0 || a.matched%a.Every == 0) && (a.Times == 0 || a.times < a.Times) {
			due = a
		}
	}
	if due == nil {
		return nil
	}
	due.times++
	f := due.Fault
	return &f
}

// about is what a fault may ask of a request; the name is looked up once, and
// only when a fault asks for it.
type about struct {
	call  *call
	refOf func(route) string
	ref   []string
}

func (a *armed) matches(q *about) bool {
	rt := q.call.route
	switch {
	case a.Method != "" && a.Method != q.call.http.Method,
		a.Region != "" && a.Region != rt.region,
		a.path != nil && !slices.ContainsFunc(rt.paths(), func(path string) bool {
			return matchSegments(a.path, strings.Split(strings.TrimPrefix(path, "/"), "/"))
		}),
		a.Page != 0 && a.Page != pageOf(q.call.http),
		spoilsPage(a.Effect()) && !isListing(q.call):
		return false
	case a.ref == nil:
		return true
	}
	if q.ref == nil {
		q.ref = strings.Split(q.refOf(rt), "/")
	}
	return q.ref[0] != "" && matchSegments(a.ref, q.ref)
}

// matchSegments matches a glob, segment by segment.
func matchSegments(glob, segments []string) bool {
	if len(glob) == 0 {
		return len(segments) == 0
	}
	if glob[0] == "**" {
		return matchSegments(glob[1:], segments) || len(segments) > 0 && matchSegments(glob, segments[1:])
	}
	if len(segments) == 0 {
		return false
	}
	ok, err := path.Match(glob[0], segments[0])
	return err == nil && ok && matchSegments(glob[1:], segments[1:])
}

func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return n
}

func isListing(c *call) bool {
	return c.http.Method == http.MethodGet && (c.route.id == "" || strings.HasSuffix(c.route.shape, "/tags"))
}

// spoilsPage says of a kind that it happens only to listings.
func spoilsPage(kind string) bool {
	return kind == faultShortPage || kind == faultChangedTotal || kind == faultDuplicateRow
}

// spoilPage changes a page as a fault of one of these kinds wants it.
func spoilPage[T row](f *worlds.Fault, page int, shown []T, total int) ([]T, int) {
	switch f.Effect() {
	case faultShortPage:
		shown = shown[:max(0, len(shown)-max(1, f.Rows))]
	case faultChangedTotal:
		total += page
	case faultDuplicateRow:
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

// misbehave answers a request to which a fault happens.
func (s *Server) misbehave(w http.ResponseWriter, c *call) {
	kind := c.fault.Effect()
	var a *answer
	if c.fault.When == whenAfter || c.fault.SpoilsAnswer() {
		a = s.act(c)
	}
	switch kind {
	case faultStatus:
		a = s.faultyStatus(c.fault)
	case faultEmptyBody:
		a = jsonAnswer(http.StatusOK, nil)
	case faultHTML:
		a = &answer{status: http.StatusOK, contentType: "text/html; charset=utf-8", body: []byte(webPage("Welcome"))}
	case faultRedirect:
		a = redirect(c)
	case faultTruncatedJSON:
		a.body = a.body[:len(a.body)/2]
	case faultCutBody:
		s.cut(w, c, a)
	case faultHang:
		<-c.http.Context().Done()
		s.abandon()
	case faultReset:
		s.reset(w)
	}
	s.respond(w, c, a)
}

func (s *Server) faultyStatus(f *worlds.Fault) *answer {
	body := f.Body
	if body == "" && f.Status == http.StatusTooManyRequests {
		body = bodyEmpty
	}
	a := &answer{status: f.Status}
	switch body {
	case bodyText:
		a.contentType, a.body = "text/plain; charset=utf-8", []byte(or(f.Message, phrase(f.Status)))
	case bodyHTML:
		a.contentType, a.body = "text/html; charset=utf-8", []byte(webPage(or(f.Message, phrase(f.Status))))
	case bodyEmpty:
	default:
		a = s.typical(f.Status, f.Message)
		a.status = f.Status
	}
	a.header = map[string]string{}
	if f.Status == http.StatusTooManyRequests {
		a.header = rateLimited().header
	}
	if f.RetryAfter > 0 {
		a.header["Retry-After"] = fmt.Sprint(int64(f.RetryAfter / time.Second))
	}
	return a
}

func webPage(title string) string {
	return "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"
}

func redirect(c *call) *answer {
	to := c.fault.Location
	if u, err := url.Parse(to); err == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
		to = strings.TrimSuffix(to, "/") + c.http.URL.RequestURI()
	}
	status := c.fault.Status
	if status == 0 {
		status = http.StatusFound
	}
	return &answer{status: status, header: map[string]string{"Location": to}}
}

// cut announces the whole body and resets the connection in its middle.
func (s *Server) cut(w http.ResponseWriter, c *call, a *answer) {
	s.log.status(c.logged, a.status)
	s.header(w.Header(), c, a)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	s.abandon()
}

// reset closes the connection so that the client sees a reset, where the
// connection allows it.
func (s *Server) reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.abandon()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	s.abandon()
}
