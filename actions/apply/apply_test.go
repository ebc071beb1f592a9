package apply

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// audited applies a plan and holds what the outcome says against what is really
// gone, and the requests against what may be sent.
func (s *site) audited(p *actions.Plan, o Options) (*actions.Outcome, error) {
	s.t.Helper()
	before := s.snapshot()
	sent := len(s.server.Requests())
	outcome, err := s.apply(p, o)
	if outcome == nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Hour) // until all that was ever asked for has happened
	s.compare(p, outcome, before)
	s.checkRequests(p, sent)
	return outcome, err
}

// compare holds the results against two looks at the registry.
func (s *site) compare(p *actions.Plan, o *actions.Outcome, before map[string]thing) {
	s.t.Helper()
	after := s.snapshot()
	vanished := make(map[string]bool)
	for ref, was := range before {
		if after[ref].id != was.id {
			vanished[ref] = true
		}
	}
	for i, r := range o.Results {
		was, there := before[r.Ref], before[r.Ref].id == p.Steps[i].ID
		switch {
		case r.Result == actions.ResultFailed && uncertain(r.Detail):
			delete(vanished, r.Ref)
		case r.Action.Deletes() && (r.Result == actions.ResultDone || r.Result == actions.ResultGone && there):
			if !vanished[r.Ref] {
				s.t.Errorf("%s is %s, and is still there", r.Ref, r.Result)
			}
			delete(vanished, r.Ref)
		case !r.Action.Deletes() && after[r.Ref].id == was.id && (r.Result == actions.ResultDone) != (after[r.Ref].is == string(p.Steps[i].To) && was != after[r.Ref]):
			s.t.Errorf("%s is %s; it was %s and is %s", r.Ref, r.Result, was.is, after[r.Ref].is)
		}
	}
	for _, ref := range o.Lost {
		delete(vanished, ref)
	}
	for ref := range vanished {
		if strings.Contains(o.Stopped, ref+" (") {
			delete(vanished, ref) // the run says that it is not known
		}
		if parsed, _ := registry.ParseRef(ref); s.emptyGo && parsed.Image != "" && parsed.Tag == "" {
			delete(vanished, ref) // with its last tag
		}
	}
	for ref := range vanished {
		s.t.Errorf("%s is gone, and nothing says so: %+v", ref, o.Results)
	}
}

// uncertain reports whether a detail admits that the outcome is not known.
func uncertain(detail string) bool {
	return strings.Contains(detail, "it may have ") || strings.Contains(detail, " was sent, ") || strings.Contains(detail, "(sent ") || strings.Contains(detail, "accepted its deletion")
}

// checkRequests compares the requests since one with what may be sent: only the
// changes of the plan, without force, five times at most, and each deletion within
// two seconds of a reading that shows its object: a request of its own, or a listing
// of what it is in.
func (s *site) checkRequests(p *actions.Plan, since int) {
	s.t.Helper()
	may := make(map[string]int)
	for i, step := range p.Steps {
		method, kind := http.MethodDelete, map[actions.Action]string{actions.DeleteTag: "tags", actions.DeleteImage: "images", actions.DeleteNamespace: "namespaces", actions.SetImageVisibility: "images", actions.SetNamespaceVisibility: "namespaces"}[step.Action]
		if !step.Action.Deletes() {
			method = http.MethodPatch
		}
		may[fmt.Sprintf("%s /registry/v1/regions/%s/%s/%s", method, step.Region, kind, step.ID)] = i
	}
	read, times := make(map[string]time.Time), make(map[string]int)
	for _, r := range s.server.Requests()[since:] {
		key := r.Method + " " + r.Path
		if r.Method == http.MethodGet {
			if page := r.Query; !strings.Contains(page, "page=") || strings.Contains(page, "page=1&") || strings.HasSuffix(page, "page=1") {
				read[r.Path] = r.Time
			}
			continue
		}
		i, planned := may[key]
		if times[key]++; !planned || r.Query != "" || times[key] > maxTries {
			s.t.Errorf("%s?%s was sent: planned %v, for the %d. time", key, r.Query, planned, times[key])
			continue
		}
		at := read[r.Path]
		if step := &p.Steps[i]; step.Action == actions.DeleteTag {
			if n, ok := p.ImageOf(step); ok {
				at = later(at, read[fmt.Sprintf("/registry/v1/regions/%s/images/%s/tags", step.Region, p.Images[n].ID)])
			}
		}
		if age := r.Time.Sub(at); r.Method == http.MethodDelete && age > MaxReadingAge {
			s.t.Errorf("%s was sent on a reading that was %s old", key, age)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func TestFailures(t *testing.T) {
	const del = `method: DELETE, ref: "prod/api:pr-2"`
	for _, tt := range []struct {
		name, fault string
		want        actions.Result // of pr-2
		rest        actions.Result // of the other tags
		detail      string
		sent        int // how often the deletion of pr-2 is sent
	}{
		{"nothing", `method: DELETE, ref: "none", status: 500`, "done", "done", "", 1},
		{"a 404 although it is there", del + `, status: 404, times: 1`, "done", "done", "", 2},
		{"a 404 for ever although it is there", del + `, status: 404`, "failed", "done", "404 Not Found", 5},
		{"a 404 after it was deleted", del + `, status: 404, when: after`, "gone", "done", "", 1},
		{"a 403 of rights", del + `, status: 403`, "blocked", "done", "insufficient permissions", 5},
		{"a 401", del + `, status: 401`, "failed", "skipped", "authentication is denied", 1},
		{"another 403", del + `, status: 403, body: text, message: quota exceeded`, "blocked", "done", "403 Forbidden: quota exceeded (sent 5 times)", 5},
		{"another 403 that passes", del + `, status: 403, body: empty, times: 2`, "done", "done", "", 3},
		{"a 409 that persists", del + `, status: 409`, "blocked", "done", "409 Conflict", 5},
		{"a 409 that passes", del + `, status: 409, times: 4`, "done", "done", "", 5},
		{"a 412 that persists", del + `, status: 412`, "blocked", "done", "412 Precondition Failed", 5},
		{"a 412 that passes", del + `, status: 412, times: 1`, "done", "done", "", 2},
		{"a 423 that persists", del + `, status: 423`, "blocked", "done", "423 Locked", 5},
		{"a 423 that passes", del + `, status: 423, times: 1`, "done", "done", "", 2},
		{"a 400", del + `, status: 400`, "failed", "done", "400 Bad Request", 1},
		{"a 429", del + `, status: 429, times: 2`, "done", "done", "", 3},
		{"a 429 that says how long", del + `, status: 429, retry_after: 7s, times: 2`, "done", "done", "", 3},
		{"a 429 for ever", del + `, status: 429`, "failed", "done", "429 Too Many Requests", 5},
		{"a 429 that asks for an hour", del + `, status: 429, retry_after: 3600s`, "failed", "failed", "asks to wait another", 1},
		{"a 500, then a 200", del + `, status: 500, times: 1`, "done", "done", "", 2},
		{"a 500 after it was deleted", del + `, status: 500, when: after`, "done", "done", "confirmed after: delete tag", 1},
		{"a 500 for ever", del + `, status: 500`, "failed", "done", "500 Internal Server Error", 5},
		{"a 504 page", del + `, status: 504, body: html, times: 1`, "done", "done", "", 2},
		{"a reset before it was deleted", del + `, kind: reset, times: 1`, "done", "done", "", 2},
		{"a reset after it was deleted", del + `, kind: reset, when: after, times: 1`, "done", "done", "", 1},
		{"a reset for ever", del + `, kind: reset`, "failed", "done", "the connection is cut", 5},
		{"a hang before it was deleted", del + `, kind: hang, times: 1`, "done", "done", "", 2},
		{"a hang after it was deleted", del + `, kind: hang, when: after, times: 1`, "done", "done", "", 1},
		{"a hang for ever", del + `, kind: hang`, "failed", "done", "no complete answer within 5s", 5},
		{"a redirect", del + `, kind: redirect, location: "http://elsewhere.example", times: 1`, "done", "done", "", 2},
		{"a redirect for ever", del + `, kind: redirect, location: "http://elsewhere.example"`, "failed", "done", "redirects are not followed", 5},
		{"a permanent redirect that keeps the method", del + `, kind: redirect, status: 308, location: "http://elsewhere.example"`, "failed", "done", "redirects are not followed", 5},
		{"an empty body before it was deleted", del + `, kind: empty_body, times: 1`, "done", "done", "", 2},
		{"an empty body after it was deleted", del + `, kind: empty_body, when: after, times: 1`, "done", "done", "confirmed after", 1},
		{"an empty body for ever", del + `, kind: empty_body`, "failed", "done", "its body is empty", 5},
		{"an HTML page before it was deleted", del + `, kind: html, times: 1`, "done", "done", "", 2},
		{"an HTML page after it was deleted", del + `, kind: html, when: after, times: 1`, "done", "done", "it is not JSON", 1},
		{"half an answer", del + `, kind: truncated_json, times: 1`, "done", "done", "", 1},
		{"an answer that is cut", del + `, kind: cut_body, times: 1`, "done", "done", "", 1},
		{"a listing that fails once", `method: GET, path: "/images/*/tags", status: 502, times: 3`, "done", "done", "", 1},
	} {
		for _, delay := range []string{"0s", "1500ms"} {
			t.Run(tt.name+" with a delay of "+delay, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, `{settings: {delete_delay: `+delay+`, latency: 20ms}, faults: [{`+tt.fault+`}], namespaces: [{name: prod, age: 400d, images: [
						{name: api, tags: [{name: "pr-{n}", count: 4, age: 20d}, {name: latest, age: 1d}]}]}]}`)
					p := s.markTags(plan.Options{})
					o, _ := s.audited(p, Options{Canary: 2})
					for i, r := range o.Results {
						want := tt.rest
						if i == 0 && (want == actions.ResultSkipped || want == actions.ResultFailed) {
							want = actions.ResultDone // it came before
						}
						if p.Steps[i].Tag == "pr-2" {
							want = tt.want
							if !strings.Contains(r.Detail, tt.detail) {
								t.Errorf("detail is %q, want %q", r.Detail, tt.detail)
							}
						}
						if r.Result != want {
							t.Errorf("%s is %s, want %s: %s", r.Ref, r.Result, want, r.Detail)
						}
					}
					if n := s.changes("pr-2", p); n != tt.sent {
						t.Errorf("sent %d times, want %d", n, tt.sent)
					}
				})
			})
		}
	}
}

// changes counts the changes that were sent of the object of a tag.
func (s *site) changes(tag string, p *actions.Plan) int {
	n := 0
	at := slices.IndexFunc(p.Steps, func(s actions.Step) bool { return s.Tag == tag })
	for _, r := range s.server.Requests() {
		if r.Method != http.MethodGet && strings.HasSuffix(r.Path, p.Steps[at].ID) {
			n++
		}
	}
	return n
}
