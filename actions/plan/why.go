package plan

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// detail explains to the operator why a guard holds a tag.
func (d *imageDecision) detail(i int32, g actions.Guard, reasons []registry.Reason) string {
	t, n := &d.v.Image.Tags[i], &d.nodes[i]
	switch g {
	case actions.GuardNotReady:
		return "status is " + t.Status.OrMissing()
	case actions.GuardInUse:
		return "used by " + text.Some(d.v.Tags[i].InUse)
	case actions.GuardAttachment:
		return d.attachmentDetail(i)
	case actions.GuardPartOf:
		return d.partDetail(i)
	case actions.GuardMinAge:
		return d.o.youth(t.Changed())
	case actions.GuardGrace:
		return "marked for less than the grace of " + text.Age(d.o.Grace) + ": " + text.Age(d.o.graceLeft(t, d.ref)) + " left"
	case actions.GuardReportOnly:
		return "marked only by " + notEnforced(reasons)
	case actions.GuardKeepAtLeast:
		return d.enough
	}
	switch {
	case n.digest == none && t.Digest != "":
		return "its digest " + strconv.Quote(text.Clip(t.Digest, 100)) + " does not have the form algorithm:hex, so another tag may share it"
	case n.digest == none:
		return "its digest is not known, so another tag may share it"
	}
	return "shares its digest with " + d.why(n.digest, i)
}

func (d *imageDecision) attachmentDetail(i int32) string {
	switch n := &d.nodes[i]; {
	case n.subject != none:
		return "belongs to " + d.why(n.subject, i)
	case n.unclear:
		return "its name is the beginning of several digests, so its subject is ambiguous"
	case d.mayDeleteOrphans():
		id := d.keptWhole(i, d.subjectWholes[i])
		return d.wholeDetail(i, id, "belongs to a part of the multi-platform image ", "may belong to a part of ")
	case d.o.Orphans == DeleteOrphans:
		return "the digest of some tag of the image is not known, and may be that of its subject"
	}
	return "no other tag of the image has the digest of its subject, and an attachment is never deleted alone"
}

// why names a tag of a digest that is kept, other than i, and the reason.
func (d *imageDecision) why(id, i int32) string {
	cause := d.causeOf(id)
	if cause == i {
		cause = d.bestCause(id, i)
	}
	return d.v.Image.Tags[cause].Name + ", " + d.whyKept(cause)
}

// whyKept words why a tag is kept.
func (d *imageDecision) whyKept(i int32) string {
	switch d.rankCause(i) {
	case causeKept:
		return "which is kept"
	case causeUnmarked:
		return "which no rule marks"
	}
	return "which is held (" + string(d.guard(i)) + ")"
}

// causeOf is the kept tag of a digest that explains best why the digest is kept.
func (d *imageDecision) causeOf(id int32) int32 {
	g := &d.groups[id]
	if g.cause == none {
		g.cause = d.bestCause(id, none)
	}
	return g.cause
}

// bestCause picks the kept tag of a digest that explains best why the digest is
// kept, the newest of several, leaving one tag out.
func (d *imageDecision) bestCause(id, except int32) int32 {
	best := none
	for m := range d.members(id) {
		if m == except || d.nodes[m].deleted {
			continue
		}
		if best == none || cmp.Or(cmp.Compare(d.rankCause(m), d.rankCause(best)), d.compareAge(m, best)) < 0 {
			best = m
		}
	}
	return best
}

// cause is why a tag is kept, the best explanation first. A tag that is kept only
// because it shares the digest, or is a part, explains nothing.
type cause uint8

const (
	causeKept cause = iota
	causeUnmarked
	causeHeld
	causeShared
)

func (d *imageDecision) rankCause(i int32) cause {
	n := &d.nodes[i]
	switch {
	case n.rules == kept:
		return causeKept
	case n.rules == unmarked, n.rules == follows && d.othersKept(n.subject, i):
		return causeUnmarked
	}
	if g := d.guard(i); g == actions.GuardSharedDigest || g == actions.GuardPartOf {
		return causeShared
	}
	return causeHeld
}

// compareAge puts newer tags first; names break ties, so that the order is total.
func (d *imageDecision) compareAge(a, b int32) int {
	x, y := &d.v.Image.Tags[a], &d.v.Image.Tags[b]
	return cmp.Or(registry.CompareAge(*x, *y), cmp.Compare(x.ID, y.ID))
}

// subjectNames are the tags to which a tag is attached.
func (d *imageDecision) subjectNames(i int32) []string {
	var names []string
	for m := range d.members(d.nodes[i].subject) {
		if m != i {
			names = append(names, d.v.Image.Tags[m].Name)
		}
	}
	slices.Sort(names)
	return names
}
