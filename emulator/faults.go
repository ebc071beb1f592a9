package emulator

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// misbehave answers a request that a fault happens to.
func (s *Server) misbehave(w http.ResponseWriter, c *call) {
	kind := c.fault.Effect()
	var a *wire.Answer
	if c.fault.When == "after" || c.fault.SpoilsAnswer() {
		a = s.past(c)
	}
	switch kind {
	case "status":
		a = s.faultyStatus(c.fault)
	case "empty_body":
		a = wire.JSON(http.StatusOK, nil)
	case "html":
		a = &wire.Answer{Status: http.StatusOK, ContentType: "text/html; charset=utf-8", Body: []byte(webPage("Welcome"))}
	case "redirect":
		a = redirect(c)
	case "truncated_json":
		a.Body = a.Body[:len(a.Body)/2]
	case "slow_delete":
		if c.fault.Status != 0 && a.Status == http.StatusOK {
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

func (s *Server) faultyStatus(f *worlds.Fault) *wire.Answer {
	body := f.Body
	if body == "" && f.Status == http.StatusTooManyRequests {
		body = "empty"
	}
	a := &wire.Answer{Status: f.Status}
	switch body {
	case "text":
		a.ContentType, a.Body = "text/plain; charset=utf-8", []byte(cmp.Or(f.Message, wire.Phrase(f.Status)))
	case "html":
		a.ContentType, a.Body = "text/html; charset=utf-8", []byte(webPage(cmp.Or(f.Message, wire.Phrase(f.Status))))
	case "empty":
	default:
		a = s.api.Typical(f.Status, f.Message)
		a.Status = f.Status
	}
	a.Header = map[string]string{}
	if f.Status == http.StatusTooManyRequests {
		a.Header = wire.RateLimited().Header
	}
	if f.RetryAfter > 0 {
		a.Header["Retry-After"] = fmt.Sprint(int64(f.RetryAfter / time.Second))
	}
	return a
}

func webPage(title string) string {
	return "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"
}

func redirect(c *call) *wire.Answer {
	to := c.fault.Location
	if u, err := url.Parse(to); err == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
		to = strings.TrimSuffix(to, "/") + c.http.URL.RequestURI()
	}
	return &wire.Answer{Status: cmp.Or(c.fault.Status, http.StatusFound), Header: map[string]string{"Location": to}}
}

// cut announces the whole body and resets the connection in its middle.
func (s *Server) cut(w http.ResponseWriter, c *call, a *wire.Answer) {
	s.log.Status(c.logged, a.Status)
	s.header(w.Header(), c, a)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body[:len(a.Body)/2])
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
