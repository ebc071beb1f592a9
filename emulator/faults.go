package emulator

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/gateway"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

func isListing(c *call) bool {
	return c.http.Method == http.MethodGet && (c.route.id == "" || strings.HasSuffix(c.route.shape, "/tags"))
}

// unhidden are the rows that a fault leaves in a listing: without those whose name
// or reference the glob matches.
func unhidden[T row](c *call, all []T) []T {
	if c.fault == nil || c.fault.Effect() != "hide" {
		return all
	}
	hidden := func(name string) bool { return gateway.Match(c.fault.Hide, name) }
	return filter(all, []func(T) bool{func(r T) bool { return !hidden(r.title()) && !hidden(r.ref()) }})
}

// spoilPage changes a page as a fault of one of these kinds requires.
func spoilPage[T row](f *worlds.Fault, page int, shown []T, total int) ([]T, int) {
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

// misbehave answers a request that a fault happens to.
func (s *Server) misbehave(w http.ResponseWriter, c *call) {
	kind := c.fault.Effect()
	var a *answer
	if c.fault.When == "after" || c.fault.SpoilsAnswer() {
		a = s.actFaultily(c)
	}
	switch kind {
	case "status":
		a = s.faultyStatus(c.fault)
	case "empty_body":
		a = jsonAnswer(http.StatusOK, nil)
	case "html":
		a = &answer{status: http.StatusOK, contentType: "text/html; charset=utf-8", body: []byte(webPage("Welcome"))}
	case "redirect":
		a = redirect(c)
	case "truncated_json":
		a.body = a.body[:len(a.body)/2]
	case "slow_delete":
		if c.fault.Status != 0 && a.status == http.StatusOK {
			a = s.faultyStatus(c.fault)
		}
	case "cut_body":
		s.cut(w, c, a)
	case "hang":
		<-c.http.Context().Done()
		s.abandon()
	case "reset":
		s.reset(w)
	}
	s.respond(w, c, a)
}

// actFaultily lets the API act on a call, which for a stale answer is the API as it
// was then.
func (s *Server) actFaultily(c *call) *answer {
	if c.fault.Effect() == "stale" {
		return s.past(c)
	}
	return s.act(c)
}

func (s *Server) faultyStatus(f *worlds.Fault) *answer {
	body := f.Body
	if body == "" && f.Status == http.StatusTooManyRequests {
		body = "empty"
	}
	a := &answer{status: f.Status}
	switch body {
	case "text":
		a.contentType, a.body = "text/plain; charset=utf-8", []byte(cmp.Or(f.Message, phrase(f.Status)))
	case "html":
		a.contentType, a.body = "text/html; charset=utf-8", []byte(webPage(cmp.Or(f.Message, phrase(f.Status))))
	case "empty":
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
	return &answer{status: cmp.Or(c.fault.Status, http.StatusFound), header: map[string]string{"Location": to}}
}

// cut announces the whole body and resets the connection in its middle.
func (s *Server) cut(w http.ResponseWriter, c *call, a *answer) {
	s.log.Status(c.logged, a.status)
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
