package janitor

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

const progressWorld = `
faults: [{path: "/images/*/tags", ref: prod/broken, status: 403}, {path: "/images", times: 1, status: 503}]
namespaces:
  - {name: prod, age: 400d, images: [
      {name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 40d}, {name: pr-2, age: 41d}]},
      {name: web, tags: [{name: latest, age: 1h}, {name: pr-3, age: 40d}]},
      {name: broken, tags: [{name: latest, age: 1h}]}]}
  - {name: funcscw1, age: 400d, images: [{name: f, tags: [{name: latest, age: 1h}]}]}
`

const progressConfig = `
scaleway: {regions: [fr-par]}
retention: [{name: prs, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}
`

// While a run goes on, its progress has the figures of what it does.
func TestProgressOfARun(t *testing.T) {
	for _, tt := range []struct {
		name, scope string
		total       int64 // of images
	}{
		{"a scope of whole namespaces", `scope: {exclude: ["funcscw*/**"]}`, 3},
		{"a scope of some images, whose number is not known", `scope: {include: ["prod/*"]}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world, err := worlds.Parse("world.yaml", []byte(progressWorld))
			check(t, err)
			s := newSetting(t, world, progressConfig+tt.scope, 4)
			session, err := NewSession(s.planner, SessionOptions{Now: atNow, Connection: scaleway.Options{
				Credentials: &scaleway.Credentials{APIURL: "http://localhost", AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: "11111111-1111-1111-1111-111111111111"},
				Base:        s.base, Concurrency: 4, Now: atNow,
			}})
			check(t, err)
			if got := session.Progress.Now(); got != (runs.Progress{Doing: runs.Starting}) {
				t.Errorf("at the start: %+v", got)
			}
			run := &ApplyRun{Session: session, Log: slog.New(slog.DiscardHandler), Recorder: recorder.Options{State: recorder.State{Dir: t.TempDir()}, Now: atNow}}
			result, err := run.Run(t.Context())
			check(t, err)
			if result.Plan == nil || result.Plan.Outcome == nil || result.Plan.Outcome.Done != 3 {
				t.Fatalf("the run is %+v", result)
			}
			want := runs.Progress{Doing: runs.Applying, Done: 3, Total: 3, Tags: 5, Marked: 3, Gaps: 1, Retries: 1}
			if diff := cmp.Diff(want, session.Progress.Now()); diff != "" {
				t.Error(diff)
			}
			_, err = session.Plan(t.Context(), session.Scan(t.Context(), Scope(session.Config)))
			check(t, err)
			want = runs.Progress{Doing: runs.Scanning, Done: 2, Total: tt.total, Tags: 2, Gaps: 1, Retries: 1}
			if diff := cmp.Diff(want, session.Progress.Now()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
