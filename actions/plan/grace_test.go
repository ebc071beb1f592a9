package plan

import (
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestGrace(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	image := &registry.Image{
		Namespace: &registry.Namespace{ID: "n", Name: "prod", Region: "fr-par", Status: registry.StatusReady},
		ID:        "i", Name: "api", Status: registry.StatusReady,
		Tags: []registry.Tag{{ID: "t", Name: "pr-1", Digest: "sha256:a", Status: registry.StatusReady,
			CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Hour)}},
	}
	verdict := registry.Verdict{Namespace: image.Namespace, Image: image,
		Tags: []registry.TagVerdict{{Delete: []registry.Reason{{Rule: "retention/x", Text: "old"}}}}}
	since := func(at time.Time, known bool) func(id, digest, ref string) (time.Time, bool) {
		return func(id, digest, ref string) (time.Time, bool) {
			if id != "t" || digest != "sha256:a" || ref != "rg.fr-par.scw.cloud/prod/api:pr-1" {
				t.Errorf("asked for %s %s %s", id, digest, ref)
			}
			return at, known
		}
	}
	for name, row := range map[string]struct {
		grace  time.Duration
		since  func(id, digest, ref string) (time.Time, bool)
		detail string // "" for a step
	}{
		"no grace":                      {0, nil, ""},
		"marked for the first time":     {72 * time.Hour, since(time.Time{}, false), "marked for less than the grace of 3d: 3d left"},
		"without a history":             {72 * time.Hour, nil, "marked for less than the grace of 3d: 3d left"},
		"marked since yesterday":        {72 * time.Hour, since(now.Add(-24*time.Hour), true), "marked for less than the grace of 3d: 2d left"},
		"marked long enough":            {72 * time.Hour, since(now.Add(-72*time.Hour), true), ""},
		"marked in the future, somehow": {72 * time.Hour, since(now.Add(time.Hour), true), "marked for less than the grace of 3d: 3d left"},
	} {
		b := NewBuilder(Options{TakenAt: now, MaxDeletions: -1, MaxDeletionPercent: -1, Grace: row.grace, MarkedSince: row.since})
		b.Add(Decide(verdict, b.o))
		p := b.Plan()
		if row.detail == "" {
			if len(p.Steps) != 1 {
				t.Errorf("%s: held %+v", name, p.Held)
			}
			continue
		}
		if len(p.Steps) != 0 || len(p.Held) != 1 || p.Held[0].Guard != actions.GuardGrace || p.Held[0].Detail != row.detail {
			t.Errorf("%s: steps %+v, held %+v", name, p.Steps, p.Held)
		}
	}
}
