package plan

import (
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestARestoredTagTakesNoPlaceInMaxDeletionPercent(t *testing.T) {
	namespace := &registry.Namespace{Region: "fr-par", Name: "prod", Status: registry.StatusReady}
	for limit, refusals := range map[float64]int{24: 1, 25: 0} { // one of four tags; two more were restored
		o := Options{TakenAt: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), MaxDeletions: -1, MaxDeletionPercent: limit}
		b := NewBuilder(o)
		for _, v := range []registry.Verdict{
			{Image: &registry.Image{Name: "api"}, Tags: []registry.TagVerdict{{Delete: []registry.Reason{{Rule: "retention/all"}}}, {}, {Restored: true}}},
			{Image: &registry.Image{Name: "web"}, Tags: []registry.TagVerdict{{}, {}, {Restored: true}}}, // nothing is deleted
		} {
			v.Namespace, v.Image.Namespace, v.Image.Status = namespace, namespace, registry.StatusReady
			for _, name := range []string{"aa", "bb", "cc"} {
				v.Image.Tags = append(v.Image.Tags, registry.Tag{Name: name, ID: v.Image.Name + name, Digest: "sha256:" + name, Status: registry.StatusReady})
			}
			b.Add(Decide(v, o))
		}
		if p := b.Plan(); len(p.Steps) != 1 || p.Summary.Tags != 6 || len(p.Refusals) != refusals {
			t.Errorf("with %v %%: %d steps, %+v", limit, len(p.Steps), p.Refusals)
		}
	}
}

func TestARestoredTagTakesNoPlaceInKeepAtLeast(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	tag := func(name, digest string, age time.Duration) registry.Tag {
		return registry.Tag{Name: name, ID: name, Digest: "sha256:" + digest, Status: registry.StatusReady, CreatedAt: now.Add(-age), UpdatedAt: now.Add(-age)}
	}
	image := &registry.Image{
		Namespace: &registry.Namespace{Region: "fr-par", Name: "prod", Status: registry.StatusReady}, Name: "api", Status: registry.StatusReady,
		Tags: []registry.Tag{tag("restored", "aa", time.Hour), tag("newer", "bb", 48*time.Hour), tag("older", "cc", 72*time.Hour)},
	}
	marked := []registry.Reason{{Rule: "retention/all", Text: "old"}}
	v := registry.Verdict{Namespace: image.Namespace, Image: image, Tags: []registry.TagVerdict{
		{Keep: []registry.Reason{{Rule: "archive/restored", Text: "restored"}}, Restored: true}, {Delete: marked}, {Delete: marked},
	}}
	part := Decide(v, Options{TakenAt: now, KeepAtLeast: 1})
	if steps, held := part.Steps(), part.Held(); len(steps) != 1 || steps[0].Tag != "older" || len(held) != 1 || held[0].Guard != actions.GuardKeepAtLeast {
		t.Errorf("%+v, %+v", steps, held)
	}
}
