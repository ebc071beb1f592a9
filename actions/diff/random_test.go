package diff

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

var scanTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// forRandomWorlds runs a property over many worlds and names the seed that fails.
func forRandomWorlds(t *testing.T, property func(t *testing.T, w world)) {
	t.Helper()
	base := rand.Uint64()
	for i := range uint64(800) {
		if !t.Run("", func(t *testing.T) { property(t, world{rand.New(rand.NewPCG(base+i, 7))}) }) {
			t.Fatalf("failed with seed %d", base+i)
		}
	}
}

// world makes random verdicts.
type world struct{ r *rand.Rand }

func (w world) chance(percent int) bool { return w.r.IntN(100) < percent }

func pick[T any](w world, list ...T) T { return list[w.r.IntN(len(list))] }

func (w world) options() plan.Options {
	o := unlimited()
	o.MinAge, o.KeepAtLeast = pick(w, 0, 24*time.Hour), w.r.IntN(4)
	return o
}

func (w world) reasons(rule string, percent int) []registry.Reason {
	var rs []registry.Reason
	for i := range 3 {
		if w.chance(percent) {
			rs = append(rs, registry.Reason{Rule: fmt.Sprintf("%s/%d", rule, i), Text: pick(w, "old", "older"), ReportOnly: w.chance(25)})
		}
	}
	return rs
}

func (w world) vote(percent int) *registry.VisibilityVerdict {
	if !w.chance(percent) {
		return nil
	}
	return &registry.VisibilityVerdict{
		To:      pick(w, registry.Private, registry.Public),
		Reasons: []registry.Reason{{Rule: "visibility/x", Text: "must be so", ReportOnly: w.chance(30)}},
	}
}

func (w world) err(percent int) error {
	if !w.chance(percent) {
		return nil
	}
	return errors.New("broken")
}

func (w world) status() registry.Status {
	return pick[registry.Status](w, "locked", "ready", "ready", "ready", "ready", "ready", "ready", "ready")
}

func (w world) time() time.Time {
	return scanTime.Add(-pick(w, time.Hour, 24*time.Hour, 900*time.Hour))
}

// registry makes verdicts on a few namespaces and their images.
func (w world) registry() []registry.Verdict {
	var vs []registry.Verdict
	for i := range 1 + w.r.IntN(3) {
		ns := &registry.Namespace{
			ID: fmt.Sprint("ns-", i), Name: fmt.Sprint("ns", i), Region: "fr-par", Status: w.status(), IsPublic: w.chance(30),
			CreatedAt: w.time(), UpdatedAt: w.time(),
		}
		vs = append(vs, registry.Verdict{
			Namespace: ns, Delete: w.reasons("empty", 30), Keep: w.reasons("ns-keep", 5), Empty: w.chance(50), Err: w.err(5), Visibility: w.vote(20),
		})
		for k := range w.r.IntN(4) {
			vs = append(vs, w.image(ns, fmt.Sprint("img", k)))
		}
	}
	return vs
}

func (w world) image(ns *registry.Namespace, name string) registry.Verdict {
	img := &registry.Image{
		Namespace: ns, ID: name, Name: name, Status: w.status(), CreatedAt: w.time(), UpdatedAt: w.time(),
		Visibility: pick(w, registry.Inherit, registry.Private, registry.Public),
	}
	v := registry.Verdict{Namespace: ns, Image: img, Delete: w.reasons("image", 15), Keep: w.reasons("image-keep", 3), Err: w.err(4), Visibility: w.vote(20)}
	for i := range w.r.IntN(10) {
		tag := registry.Tag{
			ID: fmt.Sprint("tag-", i), Name: fmt.Sprint("v", i), Digest: digestOf(pick(w, "a", "b", "c", "d")), Status: w.status(),
			CreatedAt: w.time(), UpdatedAt: w.time(),
		}
		if w.chance(30) {
			tag.Name = "sha256-" + strings.Repeat(pick(w, "a", "b", "c"), 64) + fmt.Sprint(".", i)
		}
		img.Tags = append(img.Tags, tag)
		v.Tags = append(v.Tags, registry.TagVerdict{Delete: w.reasons("retention", 20), Keep: w.reasons("keep", 5)})
	}
	if w.chance(20) {
		v.Violations = []registry.Violation{{Ref: img.Ref().String(), Severity: pick(w, registry.Deny, registry.Warn), Reason: registry.Reason{Rule: "naming/x", Text: "bad"}}}
	}
	return v
}

func (w world) gaps() []registry.Gap {
	if !w.chance(25) {
		return nil
	}
	return []registry.Gap{{
		Subject: pick(w, "clock", "rg.fr-par.scw.cloud/ns0/img0"), Error: "refused",
		Holds: pick(w, registry.HoldsItself, registry.HoldsNamespaces, registry.HoldsAll),
	}}
}

func digestOf(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

func unlimited() plan.Options {
	return plan.Options{TakenAt: scanTime, MaxDeletions: -1, MaxDeletionPercent: -1}
}

func planOf(o plan.Options, vs []registry.Verdict, gaps []registry.Gap) *actions.Plan {
	b := plan.NewBuilder(o)
	for _, g := range gaps {
		b.AddGap(g)
	}
	for _, v := range vs {
		b.Add(plan.Decide(v, o))
	}
	return b.Plan()
}

// oldTag is an image of one old tag, which these rules mark.
func oldTag(rules ...string) registry.Verdict {
	ns := &registry.Namespace{ID: "ns-id", Name: "prod", Region: "fr-par", Status: registry.StatusReady}
	tag := registry.Tag{ID: "id-pr-1", Name: "pr-1", Digest: digestOf("a"), Status: registry.StatusReady, UpdatedAt: scanTime.Add(-960 * time.Hour)}
	img := &registry.Image{Namespace: ns, ID: "image-id", Name: "api", Status: registry.StatusReady, Tags: []registry.Tag{tag}}
	v := registry.Verdict{Namespace: ns, Image: img, Tags: make([]registry.TagVerdict, 1)}
	for _, rule := range rules {
		v.Tags[0].Delete = append(v.Tags[0].Delete, registry.Reason{Rule: rule, Text: "because"})
	}
	return v
}
