package plan

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// guard names what holds a tag that stays although it is condemned or implied:
// the first that applies in the order of the guards. Only a tag that
// keep_at_least holds is never said to share its digest: the siblings that stay
// do so because of it.
func (s *standing) guard(i int32) actions.Guard {
	n := &s.nodes[i]
	switch {
	case n.local == actions.GuardNotReady || n.local == actions.GuardInUse:
		return n.local
	case n.attached && s.subjectStays(i):
		return actions.GuardAttachment
	case n.local != "":
		return n.local
	default:
		return actions.GuardSharedDigest
	}
}

// subjectStays says whether another tag stays to which this one is attached.
func (s *standing) subjectStays(i int32) bool {
	n := &s.nodes[i]
	if n.subject == none || !s.groups[n.subject].spoken {
		return false
	}
	if n.subject != n.digest {
		return true
	}
	// It has the very digest it is attached to, and may be all that stays of it.
	for m := s.groups[n.subject].members; m != none; m = s.nodes[m].nextSame {
		if m != i && !s.nodes[m].goes {
			return true
		}
	}
	return false
}

// detail words why a guard holds a tag.
func (s *standing) detail(i int32, g actions.Guard, reasons []registry.Reason) string {
	t, n := &s.tags[i], &s.nodes[i]
	switch g {
	case actions.GuardNotReady:
		return "status is " + t.Status.OrMissing()
	case actions.GuardInUse:
		return "used by " + text.Some(s.votes[i].InUse)
	case actions.GuardAttachment:
		if n.subject == none && s.o.Orphans == DeleteOrphans {
			return "the digest of some tag of the image is not known, and may be that of its subject"
		}
		if n.subject == none {
			return "no other tag of the image has the digest of its subject, and an attachment never goes alone"
		}
		return "belongs to " + s.why(n.subject, i)
	case actions.GuardMinAge:
		return s.o.youth(t.CreatedAt, t.UpdatedAt)
	case actions.GuardGrace:
		return "condemned for less than the grace of " + text.Age(s.o.Grace) + ": " + text.Age(s.o.graceLeft(t, s.image)) + " to go"
	case actions.GuardReportOnly:
		return "condemned only by " + unenforced(reasons)
	case actions.GuardSharedDigest:
		if n.digest == none {
			return "its digest is not known, so neither is what shares it"
		}
		return "shares its digest with " + s.why(n.digest, i)
	default:
		return s.enough
	}
}

// why names a tag of a digest that stays and says why it does: preferably one
// that a rule keeps, then one that no rule condemns, then one that is held, the
// newest first. A tag that stays only because it shares the digest explains
// nothing, and comes last.
func (s *standing) why(id int32, asking int32) string {
	g := &s.groups[id]
	if g.cause == none {
		g.cause = s.staysBut(id, none)
	}
	i := g.cause
	if i == asking {
		i = s.staysBut(id, i)
	}
	name := s.tags[i].Name
	switch s.standing(i) {
	case standsKept:
		return name + ", which is kept"
	case standsFree:
		return name + ", which no rule condemns"
	default:
		return name + ", which is held (" + string(s.guard(i)) + ")"
	}
}

// staysBut picks the tag of a digest that explains best why the digest stays,
// leaving one tag out of account, and none if no other stays.
func (s *standing) staysBut(id, except int32) int32 {
	best := none
	for m := s.groups[id].members; m != none; m = s.nodes[m].nextSame {
		if m == except || s.nodes[m].goes {
			continue
		}
		if best == none || cmp.Or(cmp.Compare(s.standing(m), s.standing(best)), s.compareAge(m, best)) < 0 {
			best = m
		}
	}
	return best
}

// stands says why a tag stays, the best explanation first.
type stands uint8

const (
	standsKept stands = iota
	standsFree
	standsHeld
	standsShared
)

// standing says why a tag that stays does.
func (s *standing) standing(i int32) stands {
	n := &s.nodes[i]
	switch n.vote {
	case keptTag:
		return standsKept
	case uncondemnedTag:
		return standsFree
	}
	if n.attached && s.subjectStays(i) {
		if n.vote == impliedTag {
			return standsFree
		}
		return standsHeld
	}
	if n.local == "" {
		return standsShared
	}
	return standsHeld
}

// subjectNames are the tags to which one is attached.
func (s *standing) subjectNames(i int32) []string {
	var names []string
	for m := s.groups[s.nodes[i].subject].members; m != none; m = s.nodes[m].nextSame {
		if m != i {
			names = append(names, s.tags[m].Name)
		}
	}
	slices.Sort(names)
	return names
}
