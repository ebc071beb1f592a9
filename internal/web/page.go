package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// page shows the state of the daemon and its latest run.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, runs.Overview{})
}

// runPage shows an earlier run.
func (s *server) runPage(w http.ResponseWriter, r *http.Request) {
	run, err := s.find(r)
	if err != nil {
		s.show(w, r, statusOf(err), runs.Overview{Notice: "The run cannot be shown: " + err.Error() + "."})
		return
	}
	s.show(w, r, http.StatusOK, runs.Overview{Run: run, Earlier: true})
}

// show answers with the page of the daemon, of its latest run if the overview has none.
func (s *server) show(w http.ResponseWriter, r *http.Request, status int, o runs.Overview) {
	if o.Run == nil {
		latest, err := s.daemon.Latest(r.Context())
		if err != nil {
			s.fail(w, err)
			return
		}
		o.Run = latest
	}
	o.Daemon = s.daemon.Status(r.Context())
	for _, f := range s.views.Formats {
		o.Formats = append(o.Formats, f.Name)
	}
	var b bytes.Buffer
	if err := s.views.Page(&b, o, "/assets/"); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

const (
	// maxWatching is how many pages are kept up to date at once; others are as they
	// were when they were loaded.
	maxWatching = 64
	// tick is how often a page is brought up to date, if anything has changed.
	tick = time.Second
	// maxTicks ends an answer before the server ends the connection; browsers then
	// connect again.
	maxTicks = 240
)

// events sends what changes on an open page, as server-sent events: the ID of an event
// is the number of changes for which the whole page has to be loaded again.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.watching <- struct{}{}:
		defer func() { <-s.watching }()
	default:
		w.Header().Set("Retry-After", "60")
		writeError(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are kept up to date already", maxWatching))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for nginx, which would collect the events
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the request has been read
	sent := ""
	for range maxTicks {
		event, err := s.event()
		if err != nil {
			return
		}
		if event != sent {
			if _, err := w.Write([]byte(event)); err != nil || out.Flush() != nil {
				return
			}
			sent = event
		}
		if clock.Sleep(r.Context(), tick) != nil {
			return
		}
	}
}

// event is the state of the daemon as an event.
func (s *server) event() (string, error) {
	d := s.daemon.InMemory()
	var b strings.Builder
	if err := s.views.Updates(&b, d); err != nil {
		return "", err
	}
	data := strings.ReplaceAll(strings.TrimSpace(b.String()), "\n", "\ndata: ")
	return fmt.Sprintf("retry: 2000\nid: %d\ndata: %s\n\n", d.Changes, data), nil
}
