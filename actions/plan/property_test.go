package plan

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

var rounds = flag.Int("rounds", 800, "random worlds per property")

// forRandomWorlds runs a property over many worlds and names the seed that fails.
func forRandomWorlds(t *testing.T, property func(t *testing.T, w world)) {
	t.Helper()
	base := rand.Uint64()
	for i := range *rounds {
		seed := base + uint64(i)
		ok := t.Run("", func(t *testing.T) { property(t, world{rand.New(rand.NewPCG(seed, 7))}) })
		if !ok {
			t.Fatalf("failed with seed %d", seed)
		}
	}
}

func planOf(o Options, vs []registry.Verdict, gaps []registry.Gap) *actions.Plan {
	b := NewBuilder(o)
	for _, g := range gaps {
		b.AddGap(g)
	}
	for _, v := range vs {
		b.Add(Decide(v, o))
	}
	return b.Plan()
}

func decisionsOf(p *actions.Plan) map[string]decision {
	decisions := make(map[string]decision)
	for _, s := range p.Steps {
		decisions[string(s.Action)+" "+s.Ref] = "step"
	}
	for _, h := range p.Held {
		decisions[string(h.Action)+" "+h.Ref] = decision(h.Guard)
	}
	return decisions
}

func trusted(v registry.Verdict) bool {
	return v.Err == nil && v.Namespace.Status == registry.StatusReady && (v.Image == nil || v.Image.Status == registry.StatusReady)
}

func TestFixpointMatchesItsDefinition(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, v := w.options(), w.image(w.namespace("ns"), "img")
		if !trusted(v) {
			return
		}
		o.AtMost = 0
		got := decisionsOf(planOf(o, []registry.Verdict{v}, nil))
		want := make(map[string]decision)
		for i, f := range definedDecisions(v, o) {
			if f != "" {
				want["delete_tag "+v.Image.TagRef(v.Image.Tags[i].Name).String()] = f
			}
		}
		for ref := range got {
			if !strings.HasPrefix(ref, "delete_tag ") {
				delete(got, ref)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decisions differ (-definition +plan):\n%s\noptions %+v", diff, o)
		}
	})
}

func TestEveryDeleteVerdictIsOneStepOrOneHeldEntry(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		vs := w.registry()
		p := planOf(w.options(), vs, w.gaps())
		entries := make(map[string]int)
		for _, s := range p.Steps {
			entries[string(s.Action)+" "+s.Ref]++
		}
		for _, h := range p.Held {
			entries[string(h.Action)+" "+h.Ref]++
		}
		for ref, n := range entries {
			if n != 1 {
				t.Errorf("%s has %d entries", ref, n)
			}
		}
		for _, key := range deleteVerdicts(vs) {
			if entries[key] != 1 {
				t.Errorf("%s has %d entries", key, entries[key])
			}
		}
	})
}

func deleteVerdicts(vs []registry.Verdict) (keys []string) {
	for _, v := range vs {
		if v.Image == nil {
			if isMarked(v.Delete, v.Keep) {
				keys = append(keys, "delete_namespace "+v.Namespace.Ref().String())
			}
			continue
		}
		if isMarked(v.Delete, v.Keep) {
			keys = append(keys, "delete_image "+v.Image.Ref().String())
		}
		for i, tv := range v.Tags {
			if isMarked(tv.Delete, tv.Keep) {
				keys = append(keys, "delete_tag "+v.Image.TagRef(v.Image.Tags[i].Name).String())
			}
		}
	}
	return keys
}

func TestNoStepViolatesAGuard(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, vs, gaps := w.options(), w.registry(), w.gaps()
		p := planOf(o, vs, gaps)
		decisions := decisionsOf(p)
		for _, v := range vs {
			if v.Image == nil {
				checkNamespaceStep(t, o, v, decisions)
			} else {
				checkImageSteps(t, o, v, decisions)
			}
		}
		for _, s := range p.Steps {
			for _, g := range gaps {
				inRegion := g.Region == "" || g.Region == s.Region
				if s.Action.Deletes() && inRegion && g.Holds == registry.HoldsAll ||
					s.Action == actions.DeleteNamespace && inRegion && g.Holds == registry.HoldsNamespaces {
					t.Errorf("%s %s is a step beside the gap %+v", s.Action, s.Ref, g)
				}
			}
		}
	})
}

func checkNamespaceStep(t *testing.T, o Options, v registry.Verdict, decisions map[string]decision) {
	if decisions["delete_namespace "+v.Namespace.Ref().String()] != "step" {
		return
	}
	if !v.Empty || v.Namespace.ImageCount > 0 || !trusted(v) || len(v.Keep) > 0 ||
		o.TakenAt.Sub(v.Namespace.UpdatedAt) < o.MinAge || o.TakenAt.Sub(v.Namespace.CreatedAt) < o.MinAge {
		t.Errorf("namespace %s is deleted: %+v", v.Namespace.Name, v)
	}
}

func checkImageSteps(t *testing.T, o Options, v registry.Verdict, decisions map[string]decision) {
	decisionOf := func(i int) decision { return decisions["delete_tag "+v.Image.TagRef(v.Image.Tags[i].Name).String()] }
	staying, counted, steps := 0, 0, 0
	stays := make(map[string]bool) // digests
	for i, tag := range v.Image.Tags {
		if registry.AttachmentSubject(tag.Name, tag.Digest) == "" && tag.Status == registry.StatusReady {
			counted++
			if decisionOf(i) != "step" {
				staying++
			}
		}
		if decisionOf(i) != "step" {
			stays[tag.Digest] = true
		} else {
			steps++
		}
	}
	if steps > 0 && (!trusted(v) || staying < min(o.KeepAtLeast, counted)) {
		t.Errorf("%d steps in %s, %d of %d tags stay", steps, v.Image.Name, staying, counted)
	}
	for i, tag := range v.Image.Tags {
		if decisionOf(i) != "step" {
			continue
		}
		subject := registry.AttachmentSubject(tag.Name, tag.Digest)
		hasSubject, subjectStays := false, false
		for k, x := range v.Image.Tags {
			if x.Name != tag.Name && subject.Is(x.Digest) {
				hasSubject, subjectStays = true, subjectStays || decisionOf(k) != "step"
			}
		}
		switch {
		case len(v.Tags[i].Keep) > 0, len(v.Tags[i].InUse) > 0, tag.Status != registry.StatusReady,
			o.TakenAt.Sub(tag.UpdatedAt) < o.MinAge, o.TakenAt.Sub(tag.CreatedAt) < o.MinAge,
			o.SharedDigest != actions.Untag && stays[tag.Digest],
			len(v.Tags[i].Delete) == 0 && subject == "",
			slices.ContainsFunc(v.Image.Tags, func(x registry.Tag) bool { return stays[x.Digest] && contains(v.Image, x.Digest, tag.Digest, 9) }),
			subject != "" && (subjectStays || !hasSubject && !orphansMayGo(o, v.Image)):
			t.Errorf("tag %s is deleted: %+v", tag.Name, v.Tags[i])
		}
	}
	if decisions["delete_image "+v.Image.Ref().String()] == "step" && (len(stays) > 0 || len(v.Keep) > 0 || !trusted(v)) {
		t.Errorf("image %s is deleted, %d digests stay", v.Image.Name, len(stays))
	}
}

// orphansMayGo reports whether the options let them, and no digest is unknown that
// may be that of their subject.
func orphansMayGo(o Options, img *registry.Image) bool {
	return o.Orphans == DeleteOrphans && !slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return !isKnown(t) })
}

// An index and its parts survive together, whatever keeps or holds them.
func TestPartsSurviveWithTheirIndex(t *testing.T) {
	held := 0
	forRandomWorlds(t, func(t *testing.T, w world) {
		o := w.options()
		ns := w.namespace("ns")
		v := w.image(ns, "img")
		index := registry.Tag{ID: "tag-index", Name: "1.6.0", Digest: digestOf("0"), Status: w.status(95), CreatedAt: scanTime.Add(-w.age()), UpdatedAt: scanTime.Add(-w.age())}
		v.Image.Tags = append(v.Image.Tags, index)
		v.Image.Contents[index.Digest] = &registry.Content{Kind: registry.ContentIndex}
		for i, platform := range []string{"amd64", "arm64", "s390x", "riscv64"} {
			part := index
			part.ID, part.Name, part.Digest, part.UpdatedAt = "tag-"+platform, "1.6.0-"+platform, digestOf(fmt.Sprint(i+1)), scanTime.Add(-w.age())
			v.Image.Tags = append(v.Image.Tags, part)
			v.Image.Contents[index.Digest].Parts = append(v.Image.Contents[index.Digest].Parts, part.Digest)
		}
		for len(v.Tags) < len(v.Image.Tags) {
			v.Tags = append(v.Tags, registry.TagVerdict{Delete: w.reasons("retention", 60), Keep: w.reasons("keep", 10)})
		}
		p := planOf(o, []registry.Verdict{v}, w.gaps())
		decisions := decisionsOf(p)
		if decisions["delete_tag "+v.Image.TagRef("1.6.0").String()] == "step" {
			return
		}
		for _, platform := range []string{"amd64", "arm64", "s390x", "riscv64"} {
			switch decisions["delete_tag "+v.Image.TagRef("1.6.0-"+platform).String()] {
			case "step":
				t.Errorf("%s is deleted, and its index stays", platform)
			case "part_of":
				held++
			}
		}
	})
	if held < *rounds/2 {
		t.Errorf("only %d parts were held", held)
	}
}

// What NeedsContent asks for is read until it asks for nothing more. Then everything else
// could be read too, and nothing would change.
func TestNeededContentIsEnough(t *testing.T) {
	changed := 0
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, v := w.options(), w.image(w.namespace("ns"), "img")
		o.Content.Read = pick(w, ReadAuto, ReadAlways)
		all := map[string]*registry.Content{}
		letters := []string{"a", "b", "c", "d", "e", "f"}
		for w.r.IntN(3) > 0 { // else all are images without parts
			all = w.contents(letters)
		}
		read := func(digest string) *registry.Content {
			if c := all[digest]; c != nil {
				return c
			}
			return &registry.Content{Kind: registry.ContentImage}
		}
		v.Image.Contents, v.Image.Unread = map[string]*registry.Content{}, map[string]string{}
		unreadable := map[string]bool{digestOf(pick(w, letters...)): w.chance(20)}
		first := decisionsOf(planOf(o, []registry.Verdict{v}, nil))
		for needs := NeedsContent(v, o); len(needs) > 0; needs = NeedsContent(v, o) {
			for _, digest := range needs {
				if v.Image.Contents[digest] != nil || v.Image.Unread[digest] != "" {
					t.Fatalf("%s is asked for again", digest)
				}
				if unreadable[digest] {
					v.Image.Unread[digest] = "403"
				} else {
					v.Image.Contents[digest] = read(digest)
				}
			}
		}
		enough := decisionsOf(planOf(o, []registry.Verdict{v}, nil))
		if !cmp.Equal(first, enough) {
			changed++
		}
		for _, held := range planOf(o, []registry.Verdict{v}, nil).Held {
			if strings.HasPrefix(held.Detail, "may be part of") && !strings.HasSuffix(held.Detail, "could not be read: 403") {
				t.Errorf("%s: %s", held.Ref, held.Detail)
			}
		}
		if o.Content.MultiArch != MultiArchAll {
			return // another name may hide a part
		}
		for _, tag := range v.Image.Tags {
			if isKnown(tag) && !unreadable[tag.Digest] {
				v.Image.Contents[tag.Digest] = read(tag.Digest)
			}
		}
		if diff := cmp.Diff(decisionsOf(planOf(o, []registry.Verdict{v}, nil)), enough); diff != "" {
			t.Errorf("decisions differ (-everything read +only what is needed):\n%s\noptions %+v", diff, o)
		}
	})
	if changed < *rounds/20 {
		t.Errorf("reading changed only %d plans", changed)
	}
}

func TestOrderDoesNotChangeThePlan(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, vs, gaps := w.options(), w.registry(), w.gaps()
		want, got := encoded(t, planOf(o, vs, gaps)), encoded(t, planOf(o, w.shuffled(vs), permuted(w, gaps)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the plan changed:\n%s", diff)
		}
	})
}

func TestAPlanReadsBackAsItWas(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o := w.options()
		o.Forecast = w.chance(20)
		p := planOf(o, w.registry(), w.gaps())
		text := encoded(t, p)
		got, err := actions.Decode(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		p.Stats = nil
		for i := range p.Held { // what reports alone show
			p.Held[i].Digest, p.Held[i].UpdatedAt = "", time.Time{}
		}
		if diff := cmp.Diff(p, got, cmpopts.IgnoreFields(registry.Reason{}, "ReportOnly")); diff != "" { // not in the file
			t.Errorf("the plan changed:\n%s", diff)
		}
		cut := w.r.IntN(len(text) - 1)
		if _, err := actions.Decode(strings.NewReader(text[:cut])); err == nil {
			t.Errorf("cut at %d of %d it still reads", cut, len(text))
		}
	})
}

var explanation = regexp.MustCompile(`^(shares its digest with|belongs to) (\S+), which (is kept|no rule marks|is held \((\w+)\))$`)

func TestDetailsNameAKeptTagAndWhy(t *testing.T) {
	explained := 0
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, v := w.options(), w.image(w.namespace("ns"), "img")
		if !trusted(v) {
			return
		}
		p := planOf(o, []registry.Verdict{v}, nil)
		decisions := decisionsOf(p)
		for _, h := range p.Held {
			m := explanation.FindStringSubmatch(h.Detail)
			if m == nil || h.Action != actions.DeleteTag {
				continue
			}
			explained++
			if err := checkExplanation(v, h, decisions, m[2], m[3], m[4]); err != nil {
				t.Errorf("%s: %q: %v", h.Ref, h.Detail, err)
			}
		}
	})
	if explained < *rounds/10 {
		t.Errorf("only %d details were checked", explained)
	}
}

func checkExplanation(v registry.Verdict, h actions.Held, decisions map[string]decision, name, why, guard string) error {
	named := slices.IndexFunc(v.Image.Tags, func(x registry.Tag) bool { return x.Name == name })
	held := slices.IndexFunc(v.Image.Tags, func(x registry.Tag) bool { return v.Image.TagRef(x.Name).String() == h.Ref })
	if named < 0 || held < 0 || named == held {
		return fmt.Errorf("%s is not another tag", name)
	}
	of := v.Image.Tags[held]
	isIt := func(digest string) bool { return digest == of.Digest }
	if h.Guard == actions.GuardAttachment {
		isIt = registry.AttachmentSubject(of.Name, of.Digest).Is
	}
	got := decisions["delete_tag "+v.Image.TagRef(name).String()]
	switch tv := v.Tags[named]; {
	case !isIt(v.Image.Tags[named].Digest):
		return fmt.Errorf("it has another digest")
	case got == "step":
		return fmt.Errorf("it is deleted")
	case (why == "is kept") != (len(tv.Keep) > 0):
		return fmt.Errorf("keep reasons: %v", tv.Keep)
	case why == "no rule marks" && len(tv.Delete) > 0:
		return fmt.Errorf("it is marked")
	case guard != "" && decision(guard) != got:
		return fmt.Errorf("it is held by %s", got)
	}
	return nil
}
