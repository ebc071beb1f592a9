package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// fromPage sends the form of a page, as a browser does.
func fromPage(d web.Daemon, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	web.Handler(d, views(), web.HandlerOptions{EnableApply: true}).ServeHTTP(w, r)
	return w
}

func TestThePageAnswersItsForms(t *testing.T) {
	for _, tt := range []struct {
		name, path, body string
		busy             error
		status           int
		want             string
	}{
		{"a plan during a run", "/api/v1/plan", "", web.ErrBusy, 409, "No plan was started: a run is in progress."},
		{"an apply on standby", "/api/v1/apply", "confirm=apply", web.ErrStandby, 409, "No apply was started: this daemon is on standby."},
		{"an explanation", "/api/v1/explain", "ref=rg.fr-par.scw.cloud/prod/api:v1", nil, 200, `value="rg.fr-par.scw.cloud/prod/api:v1"`},
		{"an explanation in words", "/api/v1/explain", "ref=rg.fr-par.scw.cloud/prod/api:v1", nil, 200, "it is &lt;out&gt; of scope"},
		{"a question that is not a reference", "/api/v1/explain", "ref=latest", nil, 400, `value="latest"`},
		{"a question about what is not there", "/api/v1/explain", "ref=rg.fr-par.scw.cloud/prod/api:absent", nil, 404, "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon()
			d.busy = tt.busy
			w := fromPage(d, tt.path, tt.body)
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), "<!doctype html>") || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d, want %d and %q: %.1500s", w.Code, tt.status, tt.want, w.Body)
			}
		})
	}
}

func TestThePageOfAnEarlierRun(t *testing.T) {
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/runs/2": {200, "Earlier run"},
		"/runs/7": {404, "The run cannot be shown: no such run"},
	} {
		w := httptest.NewRecorder()
		web.Handler(newDaemon(), views(), web.HandlerOptions{}).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d, want %d and %q: %.1500s", path, w.Code, want.status, want.text, w.Body)
		}
	}
}

func TestThePageOffersEveryFormat(t *testing.T) {
	w := httptest.NewRecorder()
	web.Handler(newDaemon(), views(), web.HandlerOptions{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, f := range views().Formats {
		if link := `href="/api/v1/runs/2?format=` + f.Name + `"`; !strings.Contains(w.Body.String(), link) {
			t.Errorf("the page lacks %s", link)
		}
	}
	for _, link := range []string{`href="/metrics"`, `href="/api/v1/status"`} {
		if !strings.Contains(w.Body.String(), link) {
			t.Errorf("the page lacks %s", link)
		}
	}
}

// changing is a daemon whose state is another one whenever it is asked.
type changing struct {
	*daemon
	states []runs.Daemon
}

func (d *changing) InMemory() runs.Daemon {
	state := d.states[0]
	if len(d.states) > 1 {
		d.states = d.states[1:]
	}
	return state
}

func TestEventsTellWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		planning := runs.Daemon{Leads: true, MayPlan: true, Changes: 1, Running: &runs.Running{Kind: "plan", Images: 3, Tags: 40}}
		further := planning
		further.Running = &runs.Running{Kind: "plan", Images: 4, Tags: 55}
		ended := runs.Daemon{Leads: true, MayPlan: true, Changes: 2}
		d := &changing{daemon: newDaemon(), states: []runs.Daemon{planning, planning, further, ended}}
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			web.Handler(d, views(), web.HandlerOptions{}).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil))
		}()
		time.Sleep(time.Minute)
		cancel()
		<-done
		if kind := w.Header().Get("Content-Type"); kind != "text/event-stream" || !w.Flushed {
			t.Errorf("%s, flushed %v", kind, w.Flushed)
		}
		events := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
		if len(events) != 3 {
			t.Fatalf("%d events, want one for each of the three states: %q", len(events), events)
		}
		for i, want := range [][2]string{{"id: 1\n", "3 images and 40 tags"}, {"id: 1\n", "4 images and 55 tags"}, {"id: 2\n", "Plan now"}} {
			if !strings.Contains(events[i], want[0]) || !strings.Contains(events[i], want[1]) {
				t.Errorf("event %d lacks %q: %s", i, want, events[i])
			}
			for line := range strings.SplitSeq(events[i], "\n") {
				if !strings.HasPrefix(line, "retry: ") && !strings.HasPrefix(line, "id: ") && !strings.HasPrefix(line, "data: ") {
					t.Errorf("event %d has the line %q", i, line)
				}
			}
		}
	})
}

// A browser connects again when an answer ends.
func TestEventsEndBeforeTheServerEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		web.Handler(newDaemon(), views(), web.HandlerOptions{}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v1/events", nil))
		if took := time.Since(began); took < time.Minute || took >= 5*time.Minute {
			t.Errorf("the answer takes %s", took)
		}
	})
}

func TestTheNumberOfOpenPagesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := web.Handler(newDaemon(), views(), web.HandlerOptions{})
		ctx, cancel := context.WithCancelCause(t.Context())
		for range 64 {
			go handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil))
		}
		synctest.Wait()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/events", nil))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		cancel(errors.New("the pages are closed"))
	})
}
