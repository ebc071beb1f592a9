package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestAnomaly(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	plan := func(deletions int, a Anomaly) *actions.Plan {
		image := &registry.Image{
			Namespace: &registry.Namespace{ID: "n", Name: "prod", Region: "fr-par", Status: registry.StatusReady},
			ID:        "i", Name: "api", Status: registry.StatusReady,
		}
		verdict := registry.Verdict{Namespace: image.Namespace, Image: image}
		for i := range deletions {
			name := strings.Repeat("x", i+1)
			image.Tags = append(image.Tags, registry.Tag{ID: name, Name: name, Digest: "sha256:" + strings.Repeat("a", i+1), Status: registry.StatusReady,
				CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Hour)})
			verdict.Tags = append(verdict.Tags, registry.TagVerdict{Delete: []registry.Reason{{Rule: "r", Text: "old"}}})
		}
		o := Options{TakenAt: now, MaxDeletions: -1, MaxDeletionPercent: -1, Anomaly: a}
		b := NewBuilder(o)
		b.Add(Decide(verdict, o))
		return b.Plan()
	}
	for name, row := range map[string]struct {
		deletions int
		anomaly   Anomaly
		refused   bool
	}{
		"off":                           {50, Anomaly{Usual: 1, Runs: 10}, false},
		"as usual":                      {10, Anomaly{Factor: 5, Usual: 2, Runs: 10}, false},
		"more than usual":               {11, Anomaly{Factor: 5, Usual: 2, Runs: 10}, true},
		"too few runs":                  {50, Anomaly{Factor: 5, Usual: 2, Runs: 2}, false},
		"usually nothing, now a few":    {5, Anomaly{Factor: 5, Usual: 0, Runs: 10}, false},
		"usually nothing, now too many": {6, Anomaly{Factor: 5, Usual: 0, Runs: 10}, true},
	} {
		p := plan(row.deletions, row.anomaly)
		if p.Refused() != row.refused || row.refused && p.Refusals[0].Limit != "anomaly" {
			t.Errorf("%s: refusals %+v", name, p.Refusals)
		}
	}
}
