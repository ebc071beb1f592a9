package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// decideImage decides about an image and its tags.
//
//  1. If a policy failed, or the image or its namespace is not ready, everything
//     that is marked for deletion is held.
//  2. The visibility is changed as the policies ask.
//  3. Marked tags are deleted or held; see decideTags.
//  4. The image itself is deleted if it is marked, no guard holds it, and no tag
//     of it is kept.
//  5. The plan notes which tags are kept, so that applying it can check them.
func decideImage(v registry.Verdict, o Options, part Part) Part {
	d := &imageDecision{o: &o, v: &v, part: &part, ref: part.subject.String()}
	if n := len(v.Tags); n != 0 && n != len(v.Image.Tags) { // it is unknown which entry is of which tag
		v.Tags = nil
		v.Err = errors.Join(v.Err, fmt.Errorf("the verdict has %d entries for %s", n, text.Count(len(v.Image.Tags), "tag")))
	}
	part.violations = append(part.violations, v.Violations...)
	d.reportStatus()
	if guard, detail := d.distrust(); guard != "" {
		d.holdAll(guard, detail)
		return part
	}
	part.setVisibility(v.Visibility, d.imageStep(actions.SetImageVisibility, v.Image.Visibility))
	d.decideTags()
	d.decideDeletion()
	d.noteKept()
	d.noteNewest()
	return part
}

// decideTags decides which tags of the image are deleted.
//
//  1. Keep beats delete: a tag is marked if a rule marks it and no rule keeps it.
//     An attachment that no rule marks or keeps follows its subject, if all tags
//     of the subject are marked.
//  2. Guards hold marked tags; see guard.
//  3. Kept tags keep others: the tags that share their digest, the attachments of
//     that digest, and the parts of their index, until nothing changes. That only ever
//     removes tags from the plan, so the result does not depend on the order of work.
//  4. keep_at_least holds the newest marked tags, one by one with the tags that
//     they keep, until enough are kept.
//
// Every marked tag ends as exactly one step or one held entry.
func (d *imageDecision) decideTags() {
	d.evaluate(allGuesses)
	for i := range d.nodes {
		d.enter(int32(i))
	}
	d.part.together = d.together()
}

// evaluate decides about the tags, and enters nothing into the plan. Where nothing is
// marked, it leaves the graph without nodes.
func (d *imageDecision) evaluate(guess guesses) {
	marked := func(t registry.TagVerdict) bool { return isMarked(t.Delete, t.Keep) }
	if !slices.ContainsFunc(d.v.Tags, marked) {
		return
	}
	d.guess, d.graph = guess, newGraph(d.v.Image)
	d.connectParts()
	d.leaveOutRestored(d.v.Tags)
	d.markTags()
	d.markFollowers()
	for i := range d.nodes {
		if d.nodes[i].deleted && d.guard(int32(i)) != "" {
			d.keep(int32(i))
		}
	}
	d.keepAtLeast()
}

// imageDecision is the decision about one image on its way.
type imageDecision struct {
	o     *Options
	v     *registry.Verdict
	part  *Part
	ref   string // of the image
	guess guesses
	graph
	queue  []int32 // tags to look at again
	enough string  // the detail of every tag that keep_at_least holds
	// bestUnread are the kept groups that any tag may be a part of, the best explanation
	// first; nil until needed.
	bestUnread []int32
}

func (d *imageDecision) markTags() {
	for i := range d.nodes {
		switch v := &d.v.Tags[i]; {
		case isMarked(v.Delete, v.Keep):
			d.nodes[i].rules = marked
			d.setDeleted(int32(i), true)
		case len(v.Keep) > 0:
			d.nodes[i].rules = kept
		}
	}
}

// markFollowers lets attachments that no rule marks or keeps follow their
// subjects, attachments of attachments included.
func (d *imageDecision) markFollowers() {
	for i := range d.nodes {
		if d.nodes[i].subject != none {
			d.queue = append(d.queue, int32(i))
		}
	}
	for len(d.queue) > 0 {
		i := d.queue[len(d.queue)-1]
		d.queue = d.queue[:len(d.queue)-1]
		n := &d.nodes[i]
		if n.rules != unmarked || d.othersKept(n.subject, i) {
			continue
		}
		n.rules = follows
		d.setDeleted(i, true)
		if n.digest != none && d.groups[n.digest].kept == 0 {
			d.queue = slices.AppendSeq(d.queue, d.attached(n.digest))
		}
	}
}

// guard names what holds a marked tag: the first that applies in the order of the
// contract, and "" if none does. keep_at_least comes before shared_digest: where
// it holds a tag, the others of the digest are kept because of that one.
func (d *imageDecision) guard(i int32) actions.Guard {
	t, n, v := &d.v.Image.Tags[i], &d.nodes[i], &d.v.Tags[i]
	switch {
	case t.Status != registry.StatusReady:
		return actions.GuardNotReady
	case len(v.InUse) > 0:
		return actions.GuardInUse
	case d.othersKept(n.subject, i), n.attachment && n.subject == none && d.holdsOrphan(i):
		return actions.GuardAttachment
	case d.isPartOfKept(i):
		return actions.GuardPartOf
	case d.o.isYoung(t.Changed()):
		return actions.GuardMinAge
	case n.rules == marked && d.o.graceLeft(t, d.ref) > 0:
		return actions.GuardGrace
	case n.rules == marked && isReportOnly(v.Delete):
		return actions.GuardReportOnly
	case n.lastKept:
		return actions.GuardKeepAtLeast
	case d.sharesWithKept(i):
		return actions.GuardSharedDigest
	}
	return ""
}

// sharesWithKept reports whether the deletion of a tag may take along a tag that
// is kept.
func (d *imageDecision) sharesWithKept(i int32) bool {
	digest := d.nodes[i].digest
	return d.o.SharedDigest != actions.Untag && (digest == none || d.othersKept(digest, i))
}

// mayDeleteOrphans reports whether attachments without a subject may be deleted:
// only where the digest of every tag of the image is known. Otherwise one of those
// may be the subject.
func (d *imageDecision) mayDeleteOrphans() bool {
	return d.o.Orphans == DeleteOrphans && d.allDigests && len(unlistedNames(d.v.Image)) == 0
}

// holdsOrphan reports whether an attachment is kept whose subject has no known tag.
func (d *imageDecision) holdsOrphan(i int32) bool {
	return d.nodes[i].unclear || !d.mayDeleteOrphans() || d.belongsToPart(i)
}

// keep keeps a marked tag, and then the tags that it keeps in turn.
func (d *imageDecision) keep(i int32) {
	d.queue = append(d.queue, i)
	for len(d.queue) > 0 {
		i := d.queue[len(d.queue)-1]
		d.queue = d.queue[:len(d.queue)-1]
		if !d.nodes[i].deleted {
			continue
		}
		d.setDeleted(i, false)
		digest := d.nodes[i].digest
		if digest == none || d.groups[digest].kept > 1 {
			continue // the first tag of the digest that was kept has kept the others
		}
		for m := range d.members(digest) {
			if d.sharesWithKept(m) {
				d.queue = append(d.queue, m)
			}
		}
		for a := range d.attached(digest) {
			if d.othersKept(digest, a) {
				d.queue = append(d.queue, a)
			}
		}
		d.keepParts(digest)
	}
}

// keepParts queues the tags that are, or may be, parts of an index that was just kept.
func (d *imageDecision) keepParts(digest int32) {
	d.queue = append(append(d.queue, d.parts[digest]...), d.subjects[digest]...)
	if !d.groups[digest].unread || d.keptUnread > 2 { // with more, all others are kept
		return
	}
	for _, i := range d.orphans {
		if d.belongsToPart(i) {
			d.queue = append(d.queue, i)
		}
	}
	for i := range d.nodes {
		if !d.related && d.nodes[i].deleted && d.isPartOfKept(int32(i)) {
			d.queue = append(d.queue, int32(i))
		}
	}
}

// keepAtLeast holds the newest marked tags until enough are kept. Each may keep
// others, which then count too.
func (d *imageDecision) keepAtLeast() {
	if d.kept >= d.o.KeepAtLeast {
		return
	}
	var candidates []int32
	for i := range d.nodes {
		if n := &d.nodes[i]; n.deleted && n.counts {
			candidates = append(candidates, int32(i))
		}
	}
	slices.SortFunc(candidates, d.compareAge)
	d.enough = "held so that " + text.Count(d.o.KeepAtLeast, "tag") + " of the image " + text.Choose(d.o.KeepAtLeast, "is", "are") + " kept"
	for _, i := range candidates {
		if d.kept >= d.o.KeepAtLeast {
			return
		}
		if d.nodes[i].deleted {
			d.nodes[i].lastKept = true
			d.keep(i)
		}
	}
}

// enter puts the decision about a tag into the plan.
func (d *imageDecision) enter(i int32) {
	t, n := &d.v.Image.Tags[i], &d.nodes[i]
	list, reasons := &d.part.direct, d.v.Tags[i].Delete
	switch n.rules {
	case unmarked, kept:
		return
	case follows:
		if !n.deleted && d.othersKept(n.subject, i) {
			return // no rule asks for it, and it has nothing to follow
		}
		list = &d.part.followers
		reasons = []registry.Reason{{Rule: actions.FollowRule, Text: "follows its subject " + text.Some(d.subjectNames(i))}}
	}
	if n.deleted {
		list.step(d.tagStep(t, reasons))
		return
	}
	g := d.guard(i)
	list.holdTag(t, d.tagRef(t.Name), g, d.detail(i, g, reasons), reasons)
}

// decideDeletion decides about the image itself.
func (d *imageDecision) decideDeletion() {
	reasons := d.v.Delete
	if !isMarked(reasons, d.v.Keep) {
		return
	}
	if g, detail := d.imageGuard(); g != "" {
		d.part.direct.hold(actions.DeleteImage, d.ref, g, detail, reasons)
		return
	}
	s := d.imageStep(actions.DeleteImage, "")
	s.Reasons = reasons
	d.part.direct.step(s)
}

// imageGuard names the first guard that holds the deletion of the image, and why.
func (d *imageDecision) imageGuard() (actions.Guard, string) {
	img := d.v.Image
	var keptTags []string
	for i := range img.Tags {
		if !d.deletes(i) {
			keptTags = append(keptTags, img.Tags[i].Name)
		}
	}
	switch unlisted := unlistedNames(img); {
	case len(d.v.InUse) > 0:
		return actions.GuardInUse, "used by " + text.Some(d.v.InUse)
	case len(keptTags) > 0:
		n := len(keptTags)
		return actions.GuardNotEmpty, text.Count(n, "tag") + " of it " + text.Choose(n, "is", "are") + " kept: " + text.Some(keptTags)
	case len(unlisted) > 0:
		return actions.GuardNotEmpty, "it names tags that its listing does not show: " + text.Some(unlisted)
	case len(img.Tags) == 0 && img.SizeBytes > 0:
		return actions.GuardNotEmpty, fmt.Sprintf("its listing shows no tag, but it has a size of %d bytes", img.SizeBytes)
	case d.o.isYoung(img.Changed()):
		return actions.GuardMinAge, d.o.youth(img.Changed())
	case isReportOnly(d.v.Delete):
		return actions.GuardReportOnly, "marked only by " + notEnforced(d.v.Delete)
	}
	return "", ""
}

// noteNewest notes that the newest push of the image is deleted. Attachments and what
// is not ready do not count.
func (d *imageDecision) noteNewest() {
	newest := none
	for i := range d.nodes {
		if d.nodes[i].counts && (newest == none || d.compareAge(int32(i), newest) < 0) {
			newest = int32(i)
		}
	}
	if newest != none && d.nodes[newest].deleted {
		d.part.newest = d.tagRef(d.v.Image.Tags[newest].Name)
	}
}

// noteKept notes what is kept in an image of which something is deleted. What is
// being deleted already is not kept.
func (d *imageDecision) noteKept() {
	if !d.part.Deletes() {
		return
	}
	var stay []string
	for i := range d.v.Image.Tags {
		if t := &d.v.Image.Tags[i]; !d.deletes(i) && t.Status != registry.StatusDeleting {
			stay = append(stay, t.Name)
		}
	}
	slices.Sort(stay)
	if len(d.v.Image.Contents) > 0 {
		d.part.contents = d.v.Image
	}
	d.part.image = &actions.PlannedImage{Ref: d.ref, ID: d.v.Image.ID, Stay: actions.NamesOf(stay...)}
}
