package apply

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// scene is an image while it is reconciled: what its listing shows, and what was
// sent. Tags whose names begin with pr or sha256 have a step, the others are kept.
type scene struct {
	situation
	tags           []registry.Tag
	hidden, absent []string          // IDs
	unasked        []string          // IDs of tags that the policies do not mark
	parts          map[string]string // of indexes, all by their letter
	ended          []*step           // that have a result
}

var (
	signature = "sha256-" + strings.Repeat("a", 64) + ".sig"
	errOpen   = fmt.Errorf("504: %w", registry.ErrUnknownOutcome)
	errBusy   = fmt.Errorf("409: %w", registry.ErrConflict)
	errLater  = fmt.Errorf("429: %w", registry.ErrThrottled)
)

// sceneOf makes a scene of tags that are written as name@digest, in one letter.
func sceneOf(tags ...string) *scene {
	sc := &scene{situation: situation{now: scanTime.Add(time.Hour), patience: 2 * time.Minute}}
	for _, text := range tags {
		name, letter, _ := strings.Cut(text, "@")
		tag := registry.Tag{ID: name, Name: name, Digest: digestOf(letter), Status: registry.StatusReady, UpdatedAt: scanTime}
		sc.tags = append(sc.tags, tag)
		if strings.HasPrefix(name, "pr") || strings.HasPrefix(name, "sha256") {
			sc.steps = append(sc.steps, &step{Step: &actions.Step{Action: actions.DeleteTag, ID: name, Tag: name, Digest: tag.Digest, UpdatedAt: scanTime}})
		} else {
			sc.kept = actions.NamesOf(append(slices.Collect(sc.kept.All()), name)...)
		}
	}
	return sc
}

func (sc *scene) step(name string) *step {
	return sc.steps[slices.IndexFunc(sc.steps, func(st *step) bool { return st.Tag == name })]
}

func (sc *scene) tag(name string) *registry.Tag {
	return &sc.tags[slices.IndexFunc(sc.tags, func(t registry.Tag) bool { return t.Name == name })]
}

// sent notes an answer to the deletion of a tag.
func (sc *scene) sent(name string, ago time.Duration, err error) {
	st := sc.step(name)
	st.tries++
	st.at, st.err, st.open = sc.now.Add(-ago), err, errors.Is(err, registry.ErrUnknownOutcome)
	if (err == nil || st.open) && st.since.IsZero() {
		st.since = st.at
	}
}

// without lets a tag vanish from the listing.
func (sc *scene) without(name string) {
	sc.tags = slices.DeleteFunc(sc.tags, func(t registry.Tag) bool { return t.Name == name })
}

// wholes are the steps of the indexes of which a digest is a part.
func (sc *scene) wholes(digest string) []*step {
	var wholes []*step
	for index, parts := range sc.parts {
		for _, st := range sc.steps {
			if st.Digest == digestOf(index) && strings.Contains(parts, digest[len(digest)-1:]) {
				wholes = append(wholes, st)
			}
		}
	}
	slices.SortFunc(wholes, func(a, b *step) int { return strings.Compare(a.Tag, b.Tag) })
	return wholes
}

// decide makes the reading, and decides.
func (sc *scene) decide() *decision {
	var sent []*step
	for _, st := range sc.steps {
		if st.sent() {
			sent = append(sent, st)
		}
	}
	sc.reading = newReading(sc.now, registry.Image{}, sc.tags, sent)
	sc.byDigest, sc.before = map[string][]*step{}, map[string][]string{}
	for _, st := range slices.Concat(sc.steps, sc.ended) {
		sc.byDigest[st.Digest] = append(sc.byDigest[st.Digest], st)
	}
	for index, parts := range sc.parts {
		for _, part := range strings.Split(parts, "") {
			sc.before[digestOf(part)] = append(sc.before[digestOf(part)], digestOf(index))
			slices.Sort(sc.before[digestOf(part)])
		}
	}
	for _, id := range sc.hidden {
		sc.reading.hidden[id] = registry.Tag{ID: id, Name: id, Digest: sc.step(id).Digest, Status: registry.StatusReady, UpdatedAt: scanTime}
	}
	for _, id := range sc.absent {
		sc.reading.absent[id] = true
	}
	sc.marked = func(id string) bool { return !slices.Contains(sc.unasked, id) }
	sc.unmarked = func(*step) (actions.Result, string) { return actions.ResultChanged, "no rule marks it" }
	return decide(&sc.situation)
}

// listed lists a decision: what is sent, checked and finished, and how many wait.
func listed(d *decision) []string {
	var out []string
	for _, st := range d.send {
		out = append(out, "send "+st.Tag)
	}
	for _, st := range d.check {
		out = append(out, "check "+st.Tag)
	}
	for _, x := range d.finished {
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", x.step.Tag, x.result, x.detail), ": "))
	}
	if d.waiting > 0 {
		out = append(out, fmt.Sprint(d.waiting, " under way"))
	}
	if d.held > 0 {
		out = append(out, fmt.Sprint(d.held, " held"))
	}
	return out
}

func TestDecide(t *testing.T) {
	two := func() *scene { return sceneOf("pr-1@a", "pr-2@b", "latest@c") }
	one := func() *scene { return sceneOf("pr-1@a", "latest@c") }
	shared := func() *scene { return sceneOf("pr-1@a", "pr-2@a", "latest@c") }
	signed := func() *scene { return sceneOf("pr-1@a", signature+"@d", "latest@c") }
	sibling := func() *scene { return sceneOf("pr-1@c", "pr-2@b", "latest@c") }
	whole := func() *scene {
		sc := sceneOf("pr-1@a", "pr-2@b", "latest@c")
		sc.parts = map[string]string{"b": "a"}
		return sc
	}
	nested := func() *scene {
		sc := sceneOf("pr-1@a", "pr-2@b", "pr-3@d", "latest@c")
		sc.parts = map[string]string{"d": "b", "b": "a"}
		return sc
	}
	signedPart := func() *scene {
		sc := sceneOf(signature+"@d", "pr-1@a", "pr-2@b", "latest@c")
		sc.parts = map[string]string{"b": "a"}
		return sc
	}
	twoTags := func() *scene {
		sc := sceneOf("pr-1@a", "pr-2@b", "pr-3@b", "latest@c")
		sc.parts = map[string]string{"b": "a"}
		return sc
	}
	deleting := func(sc *scene) { sc.tag("pr-1").Status = registry.StatusDeleting }
	for _, tt := range []struct {
		name  string
		scene *scene
		edit  func(*scene)
		want  []string
	}{
		{"tags that are as planned are sent together", two(), func(*scene) {}, []string{"send pr-1", "send pr-2"}},
		{"a tag that no policy marks now is not", two(), func(sc *scene) { sc.unasked = []string{"pr-1"} }, []string{"send pr-2", "pr-1 changed: no rule marks it"}},
		{"nothing is sent when a tag that the plan keeps is gone", two(), func(sc *scene) { sc.without("latest") },
			[]string{"pr-1 changed: latest, which the plan keeps, is not there any more", "pr-2 changed: latest, which the plan keeps, is not there any more"}},
		{"a kept tag that is being deleted is as good as gone", one(), func(sc *scene) { sc.tag("latest").Status = registry.StatusDeleting },
			[]string{"pr-1 changed: latest, which the plan keeps, is not there any more"}},
		{"a tag with another digest is left alone", two(), func(sc *scene) { sc.tag("pr-1").Digest = digestOf("e") }, []string{"send pr-2", "pr-1 changed: it has another digest now: " + digestOf("e")}},
		{"a tag that something else is deleting is left alone", two(), deleting, []string{"send pr-2", "pr-1 changed: it is being deleted already"}},

		{"a tag that the listing does not show is asked for", two(), func(sc *scene) { sc.without("pr-1") }, []string{"send pr-2", "check pr-1"}},
		{"and is gone when it is not found", two(), func(sc *scene) { sc.without("pr-1"); sc.absent = []string{"pr-1"} }, []string{"send pr-2", "pr-1 gone: it was not there any more"}},
		{"and is left alone when it is found", two(), func(sc *scene) { sc.without("pr-1"); sc.hidden = []string{"pr-1"} }, []string{"send pr-2", "pr-1 changed: the listing of its image does not show it"}},
		{"a listed tag that is not found has failed", two(), func(sc *scene) { sc.step("pr-1").missing = true },
			[]string{"send pr-2", "pr-1 failed: a request for the tag finds nothing, and the listing of its image still shows it"}},

		{"what was sent and is not listed is done", two(), func(sc *scene) { sc.sent("pr-1", time.Second, nil); sc.without("pr-1") }, []string{"send pr-2", "pr-1 done"}},
		{"after an open answer it is asked for", two(), func(sc *scene) { sc.sent("pr-1", time.Second, errOpen); sc.without("pr-1") }, []string{"send pr-2", "check pr-1"}},
		{"and is done when it is not found", two(), func(sc *scene) {
			sc.sent("pr-1", time.Second, errOpen)
			sc.without("pr-1")
			sc.absent = []string{"pr-1"}
		}, []string{"send pr-2", "pr-1 done: confirmed after: 504: unknown outcome"}},
		{"and waits when it is found", two(), func(sc *scene) {
			sc.sent("pr-1", time.Second, errOpen)
			sc.without("pr-1")
			sc.hidden = []string{"pr-1"}
		}, []string{"send pr-2", "1 under way"}},
		{"and is not sent again while the listing does not show it", two(), func(sc *scene) {
			sc.sent("pr-1", openPause, errOpen)
			sc.without("pr-1")
			sc.hidden = []string{"pr-1"}
		}, []string{"send pr-2", "1 under way"}},
		{"what was accepted and is still there is not sent again", two(), func(sc *scene) { sc.sent("pr-1", time.Minute, nil) }, []string{"send pr-2", "1 under way"}},
		{"but has failed after the confirm timeout", two(), func(sc *scene) { sc.sent("pr-1", 2*time.Minute, nil) },
			[]string{"send pr-2", "pr-1 failed: the API accepted its deletion, and 2m later it is still there"}},
		{"what is being deleted waits", two(), func(sc *scene) { sc.sent("pr-1", time.Minute, nil); deleting(sc) }, []string{"send pr-2", "1 under way"}},
		{"and has failed after the confirm timeout", two(), func(sc *scene) { sc.sent("pr-1", 2*time.Minute, nil); deleting(sc) },
			[]string{"send pr-2", "pr-1 failed: 2m after its deletion was sent, it is still being deleted"}},
		{"what was sent and pushed again is left alone", two(), func(sc *scene) { sc.sent("pr-1", time.Second, nil); sc.tag("pr-1").Digest = digestOf("e") },
			[]string{"send pr-2", "pr-1 changed: it was pushed again, with the digest " + digestOf("e") + ", after its deletion was sent"}},

		{"what was sent waits while an answer is about another tag", two(), func(sc *scene) { sc.sent("pr-1", time.Second, nil); *sc.tag("pr-1") = registry.Tag{ID: "pr-1"} }, []string{"send pr-2", "1 under way"}},

		{"an open deletion is not sent again within ten seconds", two(), func(sc *scene) { sc.sent("pr-1", openPause-1, errOpen) }, []string{"send pr-2", "1 under way"}},
		{"and is sent again when a later reading shows the tag untouched", two(), func(sc *scene) { sc.sent("pr-1", openPause, errOpen) }, []string{"send pr-1", "send pr-2"}},
		{"but not when the tag was touched", two(), func(sc *scene) { sc.sent("pr-1", openPause, errOpen); sc.tag("pr-1").UpdatedAt = scanTime.Add(1) }, []string{"send pr-2", "1 under way"}},
		{"and waits when no policy marks it any more", one(), func(sc *scene) { sc.sent("pr-1", openPause, errOpen); sc.unasked = []string{"pr-1"} }, []string{"1 under way"}},
		{"and when a kept tag is gone", one(), func(sc *scene) { sc.sent("pr-1", openPause, errOpen); sc.without("latest") }, []string{"1 under way"}},
		{"and when a kept tag has its digest now", one(), func(sc *scene) { sc.sent("pr-1", openPause, errOpen); sc.tag("latest").Digest = digestOf("a") }, []string{"1 under way"}},
		{"and has failed when it was sent five times", one(), func(sc *scene) {
			for range maxTries {
				sc.sent("pr-1", openPause, errOpen)
			}
		}, []string{"pr-1 failed: 504: unknown outcome (sent 5 times)"}},
		{"also when the last answer refused it", one(), func(sc *scene) {
			for range maxTries {
				sc.sent("pr-1", openPause, errOpen)
			}
			sc.sent("pr-1", openPause, errBusy)
		}, []string{"pr-1 failed: 409: conflict (sent 6 times)"}},
		{"an open deletion has failed after the confirm timeout", one(), func(sc *scene) { sc.sent("pr-1", 2*time.Minute, errOpen) },
			[]string{"pr-1 failed: 2m after its deletion was sent, it is still there: 504: unknown outcome"}},
		{"a deletion that was open and then refused is sent again as late", two(), func(sc *scene) {
			sc.sent("pr-1", openPause+time.Second, errOpen)
			sc.sent("pr-1", openPause, errBusy)
		}, []string{"send pr-1", "send pr-2"}},
		{"a refused deletion pauses", two(), func(sc *scene) { sc.sent("pr-1", refusedPause-1, errBusy) }, []string{"send pr-2", "1 held"}},
		{"and is sent again", two(), func(sc *scene) { sc.sent("pr-1", refusedPause, errBusy) }, []string{"send pr-1", "send pr-2"}},
		{"the pause doubles", two(), func(sc *scene) {
			sc.sent("pr-1", time.Minute, errBusy)
			sc.sent("pr-1", refusedPause, errBusy)
		}, []string{"send pr-2", "1 held"}},
		{"what is refused five times is blocked", one(), func(sc *scene) { sc.step("pr-1").tries = 4; sc.sent("pr-1", time.Hour, errBusy) }, []string{"pr-1 blocked: 409: conflict (sent 5 times)"}},
		{"what is throttled five times has failed", one(), func(sc *scene) { sc.step("pr-1").tries = 4; sc.sent("pr-1", time.Hour, errLater) }, []string{"pr-1 failed: 429: throttled (sent 5 times)"}},
		{"what is refused for good has failed at once", one(), func(sc *scene) { sc.sent("pr-1", time.Hour, errors.New("400")) }, []string{"pr-1 failed: 400"}},

		{"a tag whose digest a kept tag has is blocked", sibling(), func(*scene) {}, []string{"send pr-2", "pr-1 blocked: latest, which is still there, has the same digest"}},
		{"where the API untags, it is sent alone", sibling(), func(sc *scene) { sc.untag = true }, []string{"send pr-1", "1 held"}},
		{"and with others once that is proven", sibling(), func(sc *scene) { sc.untag, sc.proven = true, true }, []string{"send pr-1", "send pr-2"}},
		{"of two tags of a digest one is sent at a time", shared(), func(*scene) {}, []string{"send pr-1", "1 held"}},
		{"and the other one when it is confirmed", shared(), func(sc *scene) { sc.sent("pr-1", time.Second, nil) }, []string{"1 under way", "1 held"}},
		{"both once it is proven that the API untags", shared(), func(sc *scene) { sc.proven = true }, []string{"send pr-1", "send pr-2"}},
		{"the one that was sent before is sent again first", shared(), func(sc *scene) { sc.sent("pr-2", openPause, errOpen) }, []string{"send pr-2", "1 held"}},
		{"a tag that goes with one of its digest waits", shared(), func(sc *scene) {
			sc.sent("pr-1", time.Second, nil)
			deleting(sc)
			sc.tag("pr-2").Status = registry.StatusDeleting
		}, []string{"2 under way"}},
		{"and waits while a request still finds it", shared(), func(sc *scene) {
			sc.sent("pr-1", time.Second, nil)
			sc.without("pr-1")
			sc.without("pr-2")
			sc.hidden = []string{"pr-2"}
		}, []string{"pr-1 done", "1 under way"}},
		{"and is gone with it", shared(), func(sc *scene) {
			sc.sent("pr-1", time.Second, nil)
			sc.without("pr-1")
			sc.without("pr-2")
			sc.absent = []string{"pr-2"}
		}, []string{"pr-1 done", "pr-2 gone: it was deleted together with pr-1, which had the same digest"}},

		{"a tag of whose digest only a request finds another is blocked", shared(), func(sc *scene) { sc.without("pr-2"); sc.hidden = []string{"pr-2"} },
			[]string{"pr-2 changed: the listing of its image does not show it", "pr-1 blocked: pr-2, which is still there, has the same digest"}},
		{"and stays so on later readings", shared(), func(sc *scene) {
			sc.without("pr-2")
			sc.step("pr-2").left, sc.step("pr-2").unlisted = true, true
			sc.steps, sc.ended = sc.steps[:1], sc.steps[1:]
		}, []string{"pr-1 blocked: pr-2, which is still there, has the same digest"}},

		{"but not of one that had another digest and is gone", shared(), func(sc *scene) {
			sc.without("pr-2")
			sc.step("pr-2").left = true
			sc.steps, sc.ended = sc.steps[:1], sc.steps[1:]
		}, []string{"send pr-1"}},

		{"a tag that is not sent any more waits for one of its digest", shared(), func(sc *scene) {
			sc.halted, sc.unasked = true, []string{"pr-1", "pr-2"}
			sc.sent("pr-1", time.Second, nil)
		}, []string{"1 under way", "1 held"}},

		{"an attachment waits for its subject", signed(), func(*scene) {}, []string{"send pr-1", "1 held"}},
		{"and is sent after it", signed(), func(sc *scene) { sc.sent("pr-1", time.Second, nil); deleting(sc) }, []string{"send " + signature, "1 under way"}},
		{"an attachment of a kept tag is blocked", sceneOf(signature+"@d", "latest@a"), func(*scene) {}, []string{signature + " blocked: its subject latest is still there"}},
		{"an attachment of a tag that stays after all is blocked", signed(), func(sc *scene) { sc.unasked = []string{"pr-1"} },
			[]string{"pr-1 changed: no rule marks it", signature + " blocked: its subject pr-1 is still there"}},
		{"attachments of each other are blocked", sceneOf(signature+"@b", "sha256-"+strings.Repeat("b", 64)+"@a", "latest@c"), func(*scene) {},
			[]string{signature + " blocked: its subject sha256-" + strings.Repeat("b", 64) + " is still there", "sha256-" + strings.Repeat("b", 64) + " blocked: its subject " + signature + " is still there"}},

		{"what is blocked stays, and blocks the others of its digest", sceneOf("pr-1@d", signature+"@d", "latest@a"), func(*scene) {},
			[]string{signature + " blocked: its subject latest is still there", "pr-1 blocked: " + signature + ", which is still there, has the same digest"}},

		{"a part waits for its index", whole(), func(*scene) {}, []string{"send pr-2", "1 held"}},
		{"and while that is being deleted", whole(), func(sc *scene) { sc.sent("pr-2", time.Second, nil); sc.tag("pr-2").Status = registry.StatusDeleting }, []string{"1 under way", "1 held"}},
		{"and until its absence is confirmed", whole(), func(sc *scene) { sc.sent("pr-2", time.Second, errOpen); sc.without("pr-2") }, []string{"check pr-2", "1 held"}},
		{"and is sent when that is gone", whole(), func(sc *scene) { sc.sent("pr-2", time.Second, nil); sc.without("pr-2") }, []string{"send pr-1", "pr-2 done"}},
		{"a part of an index that stays after all is blocked", whole(), func(sc *scene) { sc.unasked = []string{"pr-2"} },
			[]string{"pr-2 changed: no rule marks it", "pr-1 blocked: it belongs or may belong to pr-2, which is still there"}},
		{"and of one that is not deleted", whole(), func(sc *scene) { sc.step("pr-2").tries = 4; sc.sent("pr-2", time.Hour, errBusy) },
			[]string{"pr-2 blocked: 409: conflict (sent 5 times)", "pr-1 blocked: it belongs or may belong to pr-2, which is still there"}},
		{"and of one that is being deleted for too long", whole(), func(sc *scene) { sc.sent("pr-2", 2*time.Minute, nil); sc.tag("pr-2").Status = registry.StatusDeleting },
			[]string{"pr-2 failed: 2m after its deletion was sent, it is still being deleted", "pr-1 blocked: it belongs or may belong to pr-2, which is still there"}},
		{"and of one that only a request finds", whole(), func(sc *scene) { sc.without("pr-2"); sc.hidden = []string{"pr-2"} },
			[]string{"pr-2 changed: the listing of its image does not show it", "pr-1 blocked: it belongs or may belong to pr-2, which is still there"}},
		{"and of a tag that others have moved to an index of it", whole(), func(sc *scene) { sc.tag("pr-2").Digest = digestOf("f"); sc.parts = map[string]string{"f": "a"} },
			[]string{"pr-2 changed: it has another digest now: " + digestOf("f"), "pr-1 blocked: it belongs or may belong to pr-2, which the plan does not delete"}},
		{"and of a kept tag that is an index of it now, and that the policies do not keep", whole(), func(sc *scene) { sc.parts = map[string]string{"c": "a"} },
			[]string{"send pr-2", "pr-1 blocked: it belongs or may belong to latest, which the plan does not delete"}},
		{"but not of one that they keep: that is for the guards", whole(), func(sc *scene) { sc.parts, sc.unasked = map[string]string{"c": "a"}, []string{"latest"} }, []string{"send pr-1", "send pr-2"}},
		{"what is in a part waits too", nested(), func(*scene) {}, []string{"send pr-3", "2 held"}},
		{"and is blocked with the part", nested(), func(sc *scene) { sc.unasked = []string{"pr-3"} },
			[]string{"pr-3 changed: no rule marks it", "pr-2 blocked: it belongs or may belong to pr-3, which is still there", "pr-1 blocked: it belongs or may belong to pr-2, which is still there"}},
		{"the signature of a part waits for both", signedPart(), func(*scene) {}, []string{"send pr-2", "2 held"}},
		{"and is blocked with the part", signedPart(), func(sc *scene) { sc.unasked = []string{"pr-2"} },
			[]string{"pr-2 changed: no rule marks it", "pr-1 blocked: it belongs or may belong to pr-2, which is still there", signature + " blocked: its subject pr-1 is still there"}},
		{"a part waits for every tag of its index", twoTags(), func(sc *scene) { sc.sent("pr-3", time.Second, nil) }, []string{"1 under way", "2 held"}},

		{"the canary is one deletion", two(), func(sc *scene) { sc.alone = true }, []string{"send pr-1", "1 held"}},
		{"and the next one waits until it is confirmed", two(), func(sc *scene) { sc.alone = true; sc.sent("pr-1", time.Second, nil) }, []string{"1 under way", "1 held"}},
		{"but not longer than 15 seconds", two(), func(sc *scene) { sc.alone = true; sc.sent("pr-1", canaryPatience, nil) }, []string{"send pr-2", "1 under way"}},
	} {
		tt.edit(tt.scene)
		if diff := cmp.Diff(tt.want, listed(tt.scene.decide())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// someScene is an image in any state at all.
func (w world) someScene() *scene {
	var tags []string
	for i := range w.r.IntN(9) {
		name := fmt.Sprintf(pick(w, "pr-%d", "pr-%d", "v%d"), i)
		if w.chance(20) {
			name = fmt.Sprintf("sha256-%s.%d", strings.Repeat(pick(w, "a", "b"), 64), i)
		}
		tags = append(tags, name+"@"+pick(w, "a", "b", "c", "d"))
	}
	sc := sceneOf(tags...)
	if w.chance(50) {
		sc.parts = map[string]string{"a": pick(w, "b", "bc"), "b": pick(w, "", "c", "d")}
	}
	sc.untag, sc.proven, sc.alone = w.chance(50), w.chance(30), w.chance(30)
	if w.chance(30) {
		sc.unasked = append(sc.unasked, "latest")
	}
	for _, st := range sc.steps {
		for range pick(w, 0, 0, 1, 1, 2, 5) {
			sc.sent(st.Tag, pick(w, time.Second, openPause, canaryPatience, 2*time.Minute), pick(w, nil, errOpen, errBusy, errLater, errors.New("400")))
		}
		st.missing = st.tries == 0 && w.chance(5)
		if w.chance(10) {
			sc.unasked = append(sc.unasked, st.ID)
		}
		if w.chance(15) {
			sc.without(st.Tag)
			switch w.r.IntN(3) {
			case 0:
				sc.hidden = append(sc.hidden, st.ID)
			case 1:
				sc.absent = append(sc.absent, st.ID)
			}
		}
	}
	for i := range sc.tags {
		tag := &sc.tags[i]
		tag.Status = pick(w, registry.StatusReady, registry.StatusReady, registry.StatusReady, registry.StatusReady, registry.StatusDeleting, "locked")
		if w.chance(5) {
			tag.Digest = digestOf("e")
		}
		if w.chance(5) {
			tag.UpdatedAt = tag.UpdatedAt.Add(1)
		}
	}
	if kept := slices.Collect(sc.kept.All()); w.chance(5) && len(kept) > 0 {
		sc.without(kept[0])
	}
	return sc
}

// Whatever the situation, every step has exactly one result, and what is sent may be
// sent.
func TestDecideProperties(t *testing.T) {
	for seed := range uint64(20_000) {
		sc := world{rand.New(rand.NewPCG(seed, 7))}.someScene()
		d := sc.decide()
		if diff := cmp.Diff(listed(d), listed(sc.decide())); diff != "" {
			t.Fatalf("seed %d: the same situation, another decision:\n%s", seed, diff)
		}
		times := make(map[*step]int)
		for _, st := range slices.Concat(d.send, d.check) {
			times[st]++
		}
		for _, x := range d.finished {
			times[x.step]++
		}
		for st, n := range times {
			if n > 1 {
				t.Fatalf("seed %d: %s has %d results: %q", seed, st.Tag, n, listed(d))
			}
		}
		if len(times)+d.waiting+d.held != len(sc.steps) {
			t.Fatalf("seed %d: %d steps, and %q", seed, len(sc.steps), listed(d))
		}
		for i := range d.send {
			if why := sc.mustNotBeSent(d, i); why != "" {
				t.Fatalf("seed %d: %s is sent, although %s", seed, d.send[i].Tag, why)
			}
		}
	}
}

// mustNotBeSent is why one of the deletions that a decision sends must not be sent.
func (sc *scene) mustNotBeSent(d *decision, i int) string {
	st := d.send[i]
	tag, listed := find(sc.tags, st.ID)
	waiting := func(digest string) bool { // a deletion of the digest is under way
		return slices.ContainsFunc(sc.steps, func(o *step) bool {
			t, there := find(sc.tags, o.ID)
			return o != st && o.Digest == digest && o.sent() && there && t.Status == registry.StatusReady && !slices.ContainsFunc(d.finished, func(x finished) bool { return x.step == o })
		})
	}
	switch {
	case !listed || st.Difference(tag) != "":
		return "it is not listed as planned"
	case slices.Contains(sc.unasked, st.ID):
		return "no policy marks it"
	case slices.ContainsFunc(slices.Collect(sc.kept.All()), func(name string) bool {
		return !slices.ContainsFunc(sc.tags, func(t registry.Tag) bool { return t.Name == name && t.Status != registry.StatusDeleting })
	}):
		return "a kept tag is gone"
	case st.tries >= maxTries, st.tries > 0 && st.err == nil:
		return "it was sent before"
	case st.open && sc.now.Sub(st.at) < openPause:
		return "the answer is open"
	case sc.alone && len(d.send) > 1:
		return "the canary goes alone"
	case !sc.proven && (!st.sent() && waiting(st.Digest) || slices.ContainsFunc(d.send[:i], func(o *step) bool { return o.Digest == st.Digest })):
		return "another tag of its digest goes"
	}
	for _, other := range sc.steps {
		isEnded := slices.ContainsFunc(d.finished, func(x finished) bool { return x.step == other })
		if !sc.untag && other != st && other.Digest == st.Digest && isEnded && slices.Contains(sc.hidden, other.ID) {
			return other.Tag + " has its digest, and stays"
		}
	}
	for _, whole := range sc.wholes(st.Digest) {
		_, there := find(sc.tags, whole.ID)
		if there || slices.Contains(sc.hidden, whole.ID) || slices.Contains(d.check, whole) {
			return whole.Tag + " is an index of it, and not gone"
		}
	}
	for _, index := range sc.before[st.Digest] {
		for _, other := range sc.tags {
			if other.Digest == index && (!sc.kept.Has(other.Name) || sc.marked(other.ID)) {
				return other.Name + " is an index of it now"
			}
		}
	}
	subject := registry.AttachmentSubject(st.Tag, st.Digest)
	for _, other := range sc.tags {
		hasStep := slices.ContainsFunc(sc.steps, func(o *step) bool { return o.ID == other.ID })
		goes := hasStep && !slices.ContainsFunc(d.finished, func(x finished) bool { return x.step.ID == other.ID })
		switch {
		case other.ID == st.ID:
		case other.Digest == st.Digest && other.Status != registry.StatusDeleting && !goes && !sc.untag:
			return other.Name + " has its digest and stays"
		case subject.Is(other.Digest) && !(hasStep && other.Status == registry.StatusDeleting):
			return "its subject " + other.Name + " is there"
		}
	}
	return ""
}
