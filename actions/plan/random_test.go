package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

var scanTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func digestOf(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// world makes random verdicts that are far more tangled than any registry:
// digests shared by many, attachments of attachments, cycles, tags named
// after their own digest, and every status, verdict and age.
type world struct{ r *rand.Rand }

func (w world) chance(percent int) bool { return w.r.IntN(100) < percent }

func pick[T any](w world, list ...T) T { return list[w.r.IntN(len(list))] }

func (w world) options() Options {
	return Options{
		TakenAt: scanTime, ConfigDigest: "sha256:c", PolicyDigest: "sha256:p",
		MinAge:      pick(w, 0, time.Hour, 24*time.Hour),
		KeepAtLeast: w.r.IntN(5), SharedDigest: pick(w, "", actions.Protect, actions.Untag), Orphans: pick(w, "", KeepOrphans, DeleteOrphans, DeleteOrphans),
		Content:      Content{Read: pick(w, "", ReadAuto, ReadAlways, ReadNever), MultiArch: pick(w, "", MultiArchRelated, MultiArchAll)},
		AtMost:       pick(w, 0, 0, 1, 2, 5),
		MaxDeletions: pick(w, -1, 0, 5), MaxDeletionPercent: pick(w, -1, 0, 30, 12.5),
	}
}

func (w world) age() time.Duration {
	return pick(w, -time.Hour, -time.Second, 0, 30*time.Minute, time.Hour, 2*time.Hour, 23*time.Hour, 24*time.Hour, 48*time.Hour, 1000*time.Hour)
}

func (w world) status(readyPercent int) registry.Status {
	if w.chance(readyPercent) {
		return registry.StatusReady
	}
	return pick[registry.Status](w, "locked", "deleting", "error", "unknown", "")
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

func (w world) image(ns *registry.Namespace, name string) registry.Verdict {
	img := &registry.Image{
		Namespace: ns, ID: "image-" + name, Name: name, Status: w.status(97), SizeBytes: uint64(w.r.IntN(2)),
		Visibility: pick(w, registry.Inherit, registry.Private, registry.Public),
		CreatedAt:  scanTime.Add(-w.age()), UpdatedAt: scanTime.Add(-w.age()),
	}
	v := registry.Verdict{Namespace: ns, Image: img, Delete: w.reasons("image", 15), Keep: w.reasons("image-keep", 3)}
	letters := []string{"a", "b", "c", "d", "e", "f"}[:1+w.r.IntN(6)]
	markedPercent, keptPercent := pick(w, 10, 40, 80), pick(w, 0, 5, 20)
	taken := make(map[string]bool)
	for range pick(w, 0, 1, 3, 8, 14) {
		tag := registry.Tag{
			Name: fmt.Sprintf("v%d", w.r.IntN(30)) + pick(w, "", "", "", "", "-amd64", "-arm64"), Digest: digestOf(pick(w, letters...)), Status: w.status(95),
			CreatedAt: scanTime.Add(-w.age()), UpdatedAt: scanTime.Add(-w.age()),
		}
		if w.chance(30) {
			tag.Name = "sha256-" + strings.Repeat(pick(w, letters...), 64) + pick(w, "", ".sig", ".att", ".src")
		}
		if w.chance(15) { // as its attachments may shorten it
			tag.Digest = "sha512:" + strings.Repeat(pick(w, letters...), 128)
		}
		if w.chance(10) {
			tag.Name = "sha512-" + strings.Repeat(pick(w, letters...), pick(w, 64, 100, 121)) + pick(w, "", ".sig")
		}
		if w.chance(3) {
			tag.Digest = pick(w, "", "sha256:"+strings.Repeat("A", 64), "a", "sha256:")
		}
		if taken[tag.Name] {
			continue
		}
		taken[tag.Name] = true
		tag.ID = "tag-" + tag.Name
		img.Tags = append(img.Tags, tag)
		tv := registry.TagVerdict{Delete: w.reasons("retention", markedPercent/2), Keep: w.reasons("keep", keptPercent/2)}
		if w.chance(4) {
			tv.InUse = []string{"kubernetes: Deployment a", "references file"}
		}
		v.Tags = append(v.Tags, tv)
	}
	img.Contents = w.contents(letters)
	w.extras(&v)
	return v
}

// contents are those of some digests, among them indexes of others and of each other.
func (w world) contents(letters []string) map[string]*registry.Content {
	readPercent := pick(w, 0, 50, 90, 100)
	contents := map[string]*registry.Content{}
	for i, letter := range letters {
		if !w.chance(readPercent) {
			continue
		}
		c := &registry.Content{Kind: registry.ContentImage}
		for range pick(w, 0, 0, 1, 3) {
			if part := w.r.IntN(len(letters)); part > i { // no digest contains itself
				c.Kind, c.Parts = registry.ContentIndex, append(c.Parts, digestOf(letters[part]))
			}
		}
		contents[digestOf(letter)] = c
	}
	return contents
}

func (w world) extras(v *registry.Verdict) {
	if w.chance(4) {
		v.Err = errors.New("eval_timeout")
	}
	if w.chance(10) {
		v.Image.TagNames = []string{"v1", "unlisted"}
	}
	if w.chance(20) {
		v.Visibility = &registry.VisibilityVerdict{
			To:      pick(w, registry.Private, registry.Public),
			Reasons: []registry.Reason{{Rule: "visibility/x", Text: "must be so", ReportOnly: w.chance(30)}},
		}
	}
	if w.chance(20) {
		v.Violations = []registry.Violation{{Ref: v.Image.Ref().String(), Severity: pick(w, registry.Deny, registry.Warn), Reason: registry.Reason{Rule: "naming/x", Text: "bad"}}}
	}
}

func (w world) namespace(name string) *registry.Namespace {
	return &registry.Namespace{
		ID: "ns-" + name, Name: name, Region: pick[registry.Region](w, "fr-par", "nl-ams"), Status: w.status(97),
		IsPublic: w.chance(30), ImageCount: uint64(w.r.IntN(2)), CreatedAt: scanTime.Add(-w.age()), UpdatedAt: scanTime.Add(-w.age()),
	}
}

// registry makes verdicts on a few namespaces and their images.
func (w world) registry() []registry.Verdict {
	var vs []registry.Verdict
	for i := range 1 + w.r.IntN(3) {
		ns := w.namespace(fmt.Sprintf("ns%d", i))
		v := registry.Verdict{Namespace: ns, Delete: w.reasons("empty", 30), Keep: w.reasons("ns-keep", 5), Empty: w.chance(50)}
		if w.chance(5) {
			v.Err = errors.New("boom")
		}
		if w.chance(20) {
			v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{{Rule: "visibility/y", Text: "must be"}}}
		}
		vs = append(vs, v)
		for k := range w.r.IntN(4) {
			vs = append(vs, w.image(ns, fmt.Sprintf("img%d", k)))
		}
	}
	return vs
}

func (w world) gaps() []registry.Gap {
	var gaps []registry.Gap
	for w.chance(25) {
		gaps = append(gaps, registry.Gap{
			Subject: pick(w, "clock", "kubernetes prod", "rg.fr-par.scw.cloud/ns0/img0"), Error: pick(w, "refused", "timeout"),
			Holds: pick(w, registry.HoldsItself, registry.HoldsNamespaces, registry.HoldsAll, registry.HoldsNothing), Region: pick[registry.Region](w, "", "fr-par"),
		})
	}
	return gaps
}

// shuffled returns the same verdicts with tags and parts in another order.
func (w world) shuffled(vs []registry.Verdict) []registry.Verdict {
	out := slices.Clone(vs)
	for i := range out {
		v := &out[i]
		if v.Image == nil {
			continue
		}
		img := *v.Image
		order := w.r.Perm(len(img.Tags))
		tags, votes := make([]registry.Tag, len(order)), make([]registry.TagVerdict, len(order))
		for to, from := range order {
			tags[to] = img.Tags[from]
			votes[to] = v.Tags[from]
			votes[to].InUse = permuted(w, v.Tags[from].InUse)
		}
		img.Tags, v.Tags, v.Image = tags, votes, &img
	}
	return permuted(w, out)
}

func permuted[T any](w world, list []T) []T {
	out := make([]T, len(list))
	for to, from := range w.r.Perm(len(list)) {
		out[to] = list[from]
	}
	return out
}
