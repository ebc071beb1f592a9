package janitor

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const (
	projectOne = "11111111-0000-4000-8000-000000000001"
	projectTwo = "22222222-0000-4000-8000-000000000002"
)

// denying answers 403 to every request that has a text in its URL.
func denying(part string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.String(), part) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Date", now.Format(http.TimeFormat))
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"message":"insufficient permissions","type":"permissions_denied"}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestADeniedProjectLeavesThePlanOfTheOtherAsIfAlone(t *testing.T) {
	world := parse(t, `
namespaces:
  - {name: one, project_id: `+projectOne+`, images: [{name: api, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 5, age: 40d}]}]}
  - {name: idle, project_id: `+projectOne+`, age: 90d}
  - {name: two, project_id: `+projectTwo+`, images: [{name: api, tags: [{name: "pr-{n}", count: 5, age: 40d}]}]}`)
	plan := func(projects string, wrap ...func(http.Handler) http.Handler) *actions.Plan {
		s := newSetting(t, world, `
scaleway: {regions: [fr-par], project_ids: [`+projects+`]}
retention: [{name: old, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
empty: {namespaces: {older_than: 30d}}
limits: {max_deletion_percent: 100}`, 16, wrap...)
		p, err := s.planner.Plan(t.Context(), s.scan(t, 16))
		check(t, err)
		return p
	}
	for denied, granted := range map[string]string{projectOne: projectTwo, projectTwo: projectOne} {
		for _, projects := range []string{denied + ", " + granted, granted + ", " + denied} {
			alone, both := plan(granted), plan(projects, denying("project_id="+denied))
			if len(alone.Steps) < 4 {
				t.Fatalf("the plan of one project has only %d steps", len(alone.Steps))
			}
			if diff := cmp.Diff(alone, both, cmpopts.IgnoreFields(actions.Plan{}, "ID", "ConfigDigest", "Gaps"), cmpopts.IgnoreFields(actions.Summary{}, "Gaps"), cmpopts.IgnoreUnexported(actions.Plan{})); diff != "" {
				t.Errorf("with %s denied:\n%s", denied, diff)
			}
			if len(both.Gaps) != 1 || !strings.Contains(both.Gaps[0].Subject, denied) {
				t.Errorf("gaps %+v, want one that names %s", both.Gaps, denied)
			}
		}
	}
}

// Which of several requests is denied first is chance, and must not show.
func TestADeniedImageGivesTheSamePlanInEveryRun(t *testing.T) {
	const configuration = `
retention: [{name: old, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}`
	const world = `
faults: [{ref: prod/svc-7, path: "/images/*/tags", status: 403}, {region: nl-ams, status: 403}]
namespaces:
  - {name: prod, images: [{name: "svc-{n}", count: 20, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 3, age: 40d}]}]}
  - {name: prod, region: nl-ams, images: [{name: api, tags: [{name: latest, age: 1h}]}]}
  - {name: prod, region: pl-waw, images: [{name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 40d}]}]}`
	var first string
	for run := range 10 {
		p := planOf(t, parse(t, world), configuration, 1+3*run)
		if got := fmt.Sprintf("%d images, %d deletions, %d gaps", p.Summary.Images, p.Summary.DeleteTags, p.Summary.Gaps); got != "20 images, 58 deletions, 2 gaps" {
			t.Errorf("run %d: %s: %+v", run, got, p.Gaps)
		}
		var encoded strings.Builder
		check(t, p.Encode(&encoded))
		if first == "" {
			first = encoded.String()
		}
		if diff := cmp.Diff(first, encoded.String()); diff != "" {
			t.Errorf("run %d:\n%s", run, diff)
		}
	}
}

func TestRefusedCredentialsAnywhereHoldEveryDeletion(t *testing.T) {
	p := planOf(t, parse(t, `
faults: [{region: nl-ams, status: 401}]
namespaces:
  - {name: prod, images: [{name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 40d}]}]}`), `
retention: [{name: old, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`, 16)
	if len(p.Steps) != 0 || len(p.Held) != 1 || p.Held[0].Guard != actions.GuardGap || len(p.Gaps) != 1 {
		t.Errorf("steps %+v, held %+v, gaps %+v", p.Steps, p.Held, p.Gaps)
	}
}

// undated removes the Date header of the answers to requests that have a text in
// their URL.
func undated(part string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.String(), part) {
				w = &dateless{ResponseWriter: w}
			}
			next.ServeHTTP(w, r)
		})
	}
}

type dateless struct{ http.ResponseWriter }

func (w *dateless) WriteHeader(code int) {
	w.Header()["Date"] = []string{"today"}
	w.ResponseWriter.WriteHeader(code)
}

func TestAnAnswerWithoutADateIsAWarning(t *testing.T) {
	world := parse(t, `namespaces: [{name: prod, images: [{name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 40d}]}]}]`)
	const configuration = `retention: [{name: old, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`
	for part, warnings := range map[string]int{"/tags": 1, "/images": 1, "": 1, "/nothing": 0} {
		s := newSetting(t, world, configuration, 16, undated(part))
		p, err := s.planner.Plan(t.Context(), s.scan(t, 16))
		check(t, err)
		if len(p.Steps) != 1 || len(p.Gaps) != 0 || p.Summary.Warn != warnings {
			t.Errorf("without a date of %q: steps %+v, gaps %+v, violations %+v", part, p.Steps, p.Gaps, p.Violations)
		}
		if warnings == 1 && (p.Violations[0].Ref != "clock" || p.Violations[0].Rule != actions.ClockRule) {
			t.Errorf("without a date of %q: %+v", part, p.Violations)
		}
		var inventory bytes.Buffer
		_, err = s.planner.Record(t.Context(), s.scan(t, 16), &inventory)
		check(t, err)
		read, err := scanner.ReadInventory(&inventory)
		check(t, err)
		s.planner.Clock = nil
		again, err := s.planner.Plan(t.Context(), read.Stream(t.Context()))
		check(t, err)
		if diff := cmp.Diff(p.Violations, again.Violations); diff != "" {
			t.Errorf("the plan of the inventory differs:\n%s", diff)
		}
	}
}

func TestExplainOfWhatRefusedCredentialsHideShowsTheGap(t *testing.T) {
	s := newSetting(t, parse(t, `
faults: [{status: 401}]
namespaces: [{name: prod, images: [{name: api, tags: [{name: latest, age: 1h}]}]}]`), "", 16)
	a, err := s.planner.Explain(t.Context(), s.scan(t, 16), mustName(t, s.planner, "rg.fr-par.scw.cloud/prod/api"))
	if err != nil || len(a.Explanations) != 1 || len(a.Explanations[0].Plan.Gaps) != 3 {
		t.Errorf("%v, %+v", err, a.Explanations)
	}
}
