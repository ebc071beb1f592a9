package web_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
	"github.com/registry-janitor/registry-janitor/registry"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fullDaemon answers with every field set.
type fullDaemon struct {
	*daemon
	runs []runs.Summary
}

func (d *fullDaemon) Runs(context.Context, int) ([]runs.Summary, error) { return d.runs, nil }

func (d *fullDaemon) Explain(_ context.Context, named string) (runs.Answer, error) {
	ref, err := registry.ParseRef(named)
	return runs.Answer{Explanations: []runs.Explanation{d.explanation(ref)}}, err
}

func (d *fullDaemon) explanation(ref registry.Ref) runs.Explanation {
	if ref.Image == "unjudged" {
		return runs.Explanation{Ref: ref, Note: "out of scope: \x1b[31m<b>", Plan: d.latest.Plan}
	}
	at := time.Date(2026, 11, 1, 3, 4, 5, 123456789, time.UTC)
	ns := &registry.Namespace{Name: "prod", Region: "fr-par", CreatedAt: at, UpdatedAt: at, ImageCount: 1}
	image := &registry.Image{Namespace: ns, Name: "api", CreatedAt: at, UpdatedAt: at, Tags: []registry.Tag{
		{Name: "v1", Digest: "sha256:1", CreatedAt: at, UpdatedAt: at}, {Name: "v2", Digest: "sha256:1", CreatedAt: at, UpdatedAt: at},
	}}
	mark := registry.Reason{Rule: "retention/<old>", Text: "older than 14d", ReportOnly: true}
	own := registry.Reason{Rule: "previews/two weeks", Text: "a & b", Source: "policies/p.rego:7", CustomSeverity: "high"}
	v := &registry.Verdict{Namespace: ns, Image: image, InUse: []string{"kubernetes prod", "references"}, Delete: []registry.Reason{mark}, Tags: []registry.TagVerdict{
		{Delete: []registry.Reason{mark, own}, Keep: []registry.Reason{own}, InUse: []string{"kubernetes prod"}}, {},
	}}
	if ref.Image == "" {
		v = &registry.Verdict{Namespace: ns, Delete: []registry.Reason{own}}
	}
	return runs.Explanation{Ref: ref, Verdict: v, Plan: d.latest.Plan}
}

func newFullDaemon() *fullDaemon {
	at := time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)
	d := &fullDaemon{daemon: newDaemon()}
	d.latest.Started, d.latest.Duration, d.latest.Calls, d.latest.Exit = at, 94_321*time.Millisecond, 77, 1
	d.latest.Plan.Stats = &actions.Stats{Bytes: 1234567890}
	d.latest.Plan.Outcome = &actions.Outcome{Done: 3, Failed: 2, Skipped: 1, Results: []actions.StepResult{{Ref: "rg.fr-par.scw.cloud/prod/api:v1", Action: actions.DeleteTag, Result: actions.ResultFailed, Detail: "<500>"}}}
	d.latest.Sources = []runs.UseSource{{Name: "references", Uses: 3, ReadAt: at}}
	d.runs = []runs.Summary{d.latest.Summary(), {}, {ID: "local-1", Kind: "apply", Trigger: "<nightly>", Error: "401 & more", Duration: runs.Seconds(1500 * time.Microsecond), Tags: 1, Steps: 2, Held: 3, Violations: 4, Gaps: 5}}
	d.status = runs.Daemon{
		Version: "v1.2.3", Started: at, Now: at, Leads: true, Leader: "janitor-0", MayPlan: true, MayApply: true, Runs: d.runs,
		Running: &runs.Running{Kind: "apply", Trigger: "http", Started: at, Images: 12, Tags: 345},
		Reload:  runs.Reload{At: at, Error: "janitor.yaml:3: unknown key"},
		Schedules: []runs.Schedule{
			{Name: "nightly", Cron: "0 3 * * *", Timezone: "Europe/Paris", Do: "apply", Jitter: runs.Seconds(90*time.Second + time.Millisecond), Next: at, Last: at, LastRun: "1", Skipped: 1},
			{Name: "often", Cron: "@hourly", Do: "plan"},
		},
	}
	return d
}

// stubs render nothing, so that the bytes are those of the API alone.
func stubs() web.Views {
	return web.Views{Assets: fstest.MapFS{}, Explain: func(w io.Writer, e runs.Explanation) error {
		_, err := fmt.Fprintf(w, "%s in <words>\n", e.Ref)
		return err
	}}
}

// Programs read these answers: their bytes must not change.
func TestAnswersOfTheAPI(t *testing.T) {
	full, bare, failed := newFullDaemon(), &fullDaemon{daemon: newDaemon()}, &fullDaemon{daemon: newDaemon()}
	failed.latest = &runs.Run{ID: "7", Kind: "plan", Trigger: "start", Error: errors.New("401 <Unauthorized>").Error(), Exit: 1}
	for _, tt := range []struct {
		golden, path string
		daemon       *fullDaemon
	}{
		{"status.json", "/api/v1/status", full},
		{"status-empty.json", "/api/v1/status", bare},
		{"runs.json", "/api/v1/runs", full},
		{"runs-empty.json", "/api/v1/runs", bare},
		{"run.json", "/api/v1/runs/latest", full},
		{"run-failed.json", "/api/v1/runs/latest", failed},
		{"explain-tag.json", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:v1", full},
		{"explain-kept.json", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:v2", full},
		{"explain-image.json", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api", full},
		{"explain-namespace.json", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod", full},
		{"explain-unjudged.json", "/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/unjudged", full},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			method := "GET"
			if strings.HasPrefix(tt.golden, "explain") {
				method = "POST"
			}
			w := httptest.NewRecorder()
			web.Handler(tt.daemon, stubs(), web.HandlerOptions{}).ServeHTTP(w, httptest.NewRequest(method, tt.path, nil))
			golden := filepath.Join("testdata", tt.golden)
			if *update {
				if err := os.WriteFile(golden, w.Body.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), w.Body.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
