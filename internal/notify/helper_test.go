package notify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

var started = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// quiet is a run without any occasion.
func quiet() runs.Run {
	return runs.Run{Kind: "apply", Trigger: "nightly", Started: started, Plan: &actions.Plan{
		ID: "sha256:1", TakenAt: started, Summary: actions.Summary{Namespaces: 2, Images: 3, Tags: 40, Held: 1, Warn: 1}, Outcome: &actions.Outcome{},
		Violations: []registry.Violation{{Ref: "rg.fr-par.scw.cloud/prod/api", Severity: registry.Warn, Reason: registry.Reason{Rule: "naming/x", Text: "odd"}}},
	}}
}

// eventful is a run with every occasion of a run that applies.
func eventful() runs.Run {
	run := quiet()
	run.Duration = 3 * time.Second
	p := run.Plan
	reasons := []registry.Reason{{Rule: "retention/pull request builds", Text: "older than 14d"}}
	for i, result := range []actions.Result{actions.ResultDone, actions.ResultDone, actions.ResultFailed, actions.ResultSkipped} {
		ref := "rg.fr-par.scw.cloud/prod/api:pr-" + string(rune('1'+i))
		p.Steps = append(p.Steps, actions.Step{Action: actions.DeleteTag, Ref: ref, Reasons: reasons})
		p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: ref, Action: actions.DeleteTag, Result: result, Detail: "detail of " + string(result)})
	}
	p.Steps = append(p.Steps, actions.Step{Action: actions.SetImageVisibility, Ref: "rg.fr-par.scw.cloud/prod/web", Reasons: []registry.Reason{{Rule: "visibility/private"}}})
	p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: "rg.fr-par.scw.cloud/prod/web", Action: actions.SetImageVisibility, Result: actions.ResultDone})
	p.Outcome.Done, p.Outcome.Failed, p.Outcome.Skipped = 3, 1, 1
	p.Summary.DeleteTags, p.Summary.SetVisibility, p.Summary.Deny, p.Summary.Gaps = 4, 1, 1, 1
	p.Gaps = []registry.Gap{{Subject: "rg.nl-ams.scw.cloud/prod/api", Error: "page 3 of its tags: 500 <!channel> @everyone"}}
	p.Violations = append(p.Violations, registry.Violation{Ref: "rg.fr-par.scw.cloud/prod/web", Severity: registry.Deny, Reason: registry.Reason{Rule: "visibility/x", Text: "is public"}})
	return run
}

func refused() runs.Run {
	run := quiet()
	run.Kind, run.Plan.Outcome = "plan", nil
	run.Plan.Steps = []actions.Step{{Action: actions.DeleteTag, Ref: "rg.fr-par.scw.cloud/prod/api:pr-1"}}
	run.Plan.Refusals = []actions.Refusal{{Limit: "max_deletions", Detail: "1,200 deletions planned, 200 over the limit of 1,000"}}
	return run
}

// request is one that a service received.
type request struct {
	Host, Path, Query, ContentType string
	Body                           string
}

// services stands for all hosts there are: every request of the process goes to it.
type services struct {
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r *http.Request)
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent := r.Clone(r.Context())
		sent.Header.Set("X-Host", r.URL.Host)
		sent.URL.Scheme, sent.URL.Host = "http", to.Host
		return server.Client().Transport.RoundTrip(sent)
	}))
	return s
}

// through sends the requests of the library, which cannot be configured otherwise,
// through a transport.
func through(t *testing.T, transport http.RoundTripper) {
	before := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = before })
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.got = append(s.got, request{r.Header.Get("X-Host"), r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), string(body)})
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

func (s *services) received() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.got...)
}

// notifier sends to one service, whose URL is in a variable.
func notifier(t *testing.T, raw string, n Notification) *Notifier {
	t.Helper()
	n.Name, n.URLEnv = "ops", "OPS_URL"
	out, err := New(Options{Notifications: []Notification{n}, LookupEnv: func(string) (string, bool) { return raw, true }})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decoded(t *testing.T, body string) (value map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("no JSON: %v: %s", err, body)
	}
	return value
}

// mailServer takes mail, one connection after another, and answers AUTH with a code.
type mailServer struct {
	address string
	mu      sync.Mutex
	mails   []string
}

func newMailServer(t *testing.T, authCode string) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{address: l.Addr().String()}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c, authCode)
		}
	}()
	return s
}

func (s *mailServer) serve(c net.Conn, authCode string) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 mail.test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			say("250-mail.test")
			say("250 AUTH PLAIN")
		case "AUTH":
			say(authCode)
		case "DATA":
			say("354 go on")
			var mail bytes.Buffer
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *mailServer) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}
