package plan

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// standing works out which tags of one image stay and which go.
//
// It starts from everything that could go at most: what the rules condemn, and
// the attachments all of whose subjects could go. Then it only ever takes tags
// out: those that a guard holds by themselves, then, over and over, those that a
// tag which stays makes stay (it shares their digest, or they are attached to
// it), and last, one at a time, the newest ones until enough stay. Taking out
// never lets another tag go, so the result does not depend on the order of the
// work. Each digest speaks at most once, so the work is linear but for sorting.
type standing struct {
	o       *Options
	image   string // its reference
	tags    []registry.Tag
	votes   []registry.TagVerdict
	nodes   []node
	groups  []digestGroup
	queue   []int32 // tags of which the others have not heard yet
	orphans bool    // attachments whose subject no other tag has may go
	// staying counts the tags that stay and count for keep_at_least.
	staying int
	// enough is the detail of every tag that keep_at_least holds.
	enough string
}

// node is what is known of one tag.
type node struct {
	digest   int32 // its group; none when the digest is not known
	subject  int32 // the group it is attached to; none when no other tag has that digest
	nextSame int32 // the next tag of its group
	nextAtt  int32 // the next tag that is attached to its subject
	vote     vote
	attached bool
	goes     bool
	local    actions.Guard // what holds it by itself, or keep_at_least
}

type vote uint8

const (
	uncondemnedTag vote = iota
	keptTag
	condemnedTag
	impliedTag // an attachment that no rule condemns and whose subjects could go
)

// digestGroup is the tags of one digest and the attachments to it.
type digestGroup struct {
	members, attached int32 // heads of lists
	size              int32
	left              int32 // members that could not go at all
	spoken            bool  // a member stays, and all that follows from it is done
	cause             int32 // the member to name when asked why; see why
}

const none int32 = -1

func newStanding(v *registry.Verdict, o *Options) *standing {
	n := len(v.Image.Tags)
	s := &standing{o: o, image: v.Image.Ref().String(), tags: v.Image.Tags, votes: v.Tags, nodes: make([]node, n), groups: make([]digestGroup, 0, n)}
	s.orphans = o.Orphans == DeleteOrphans && seesAllDigests(v.Image)
	byDigest := make(map[string]int32, n)
	for i := range s.nodes {
		s.nodes[i] = node{digest: none, subject: none, nextSame: none, nextAtt: none, vote: s.vote(i)}
		if d := s.tags[i].Digest; d != "" {
			s.join(i, d, byDigest)
		}
	}
	for i := range s.nodes {
		if d := registry.AttachmentSubject(s.tags[i].Name); d != "" {
			s.attach(i, d, byDigest)
		}
	}
	return s
}

// seesAllDigests reports whether it is known of every tag of the image which
// digest it has. Otherwise the subject of an attachment may be one of those.
func seesAllDigests(img *registry.Image) bool {
	unknown := func(t registry.Tag) bool { return t.Digest == "" }
	return !slices.ContainsFunc(img.Tags, unknown) && len(unlistedNames(img)) == 0
}

func (s *standing) vote(i int) vote {
	switch v := &s.votes[i]; {
	case len(v.Keep) > 0:
		return keptTag
	case len(v.Delete) > 0:
		return condemnedTag
	default:
		return uncondemnedTag
	}
}

// join puts a tag into the group of its digest.
func (s *standing) join(i int, digest string, byDigest map[string]int32) {
	id, ok := byDigest[digest]
	if !ok {
		id = int32(len(s.groups))
		byDigest[digest] = id
		s.groups = append(s.groups, digestGroup{members: none, attached: none, cause: none})
	}
	n, g := &s.nodes[i], &s.groups[id]
	n.digest, n.nextSame, g.members = id, g.members, int32(i)
	g.size++
	if n.vote != condemnedTag {
		g.left++
	}
}

// attach ties an attachment to the tags of its subject, if there are any but
// itself.
func (s *standing) attach(i int, subject string, byDigest map[string]int32) {
	n := &s.nodes[i]
	n.attached = true
	id, ok := byDigest[subject]
	if !ok || id == n.digest && s.groups[id].size == 1 {
		return
	}
	g := &s.groups[id]
	n.subject, n.nextAtt, g.attached = id, g.attached, int32(i)
}

// settle decides for every tag whether it goes.
func (s *standing) settle() {
	s.implyAttachments()
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.vote != condemnedTag && n.vote != impliedTag {
			continue
		}
		n.local = s.localGuard(i)
		n.goes = n.local == ""
	}
	for i := range s.nodes {
		if !s.nodes[i].goes {
			s.stays(int32(i))
		}
	}
	s.spread()
	s.keepAtLeast()
}

// implyAttachments lets attachments that no rule condemns or keeps follow their
// subjects, attachments of attachments included.
func (s *standing) implyAttachments() {
	for id := range s.groups {
		s.imply(int32(id))
	}
	for len(s.queue) > 0 {
		last := len(s.queue) - 1
		i := s.queue[last]
		s.queue = s.queue[:last]
		if id := s.nodes[i].digest; id != none {
			s.groups[id].left--
			s.imply(id)
		}
	}
}

// imply marks the attachments of a digest if all of its tags could go.
func (s *standing) imply(id int32) {
	if s.groups[id].left > 1 {
		return
	}
	for a := s.groups[id].attached; a != none; a = s.nodes[a].nextAtt {
		n := &s.nodes[a]
		if n.vote != uncondemnedTag {
			continue
		}
		left := s.groups[id].left
		if n.digest == id {
			left-- // a tag is no subject of its own
		}
		if left == 0 {
			n.vote = impliedTag
			s.queue = append(s.queue, a)
		}
	}
}

// localGuard is the first guard that holds a tag whatever the others do.
func (s *standing) localGuard(i int) actions.Guard {
	t, n := &s.tags[i], &s.nodes[i]
	switch {
	case t.Status != registry.StatusReady:
		return actions.GuardNotReady
	case len(s.votes[i].InUse) > 0:
		return actions.GuardInUse
	case n.attached && n.subject == none && !s.orphans:
		return actions.GuardAttachment
	case s.o.youth(t.CreatedAt, t.UpdatedAt) != "":
		return actions.GuardMinAge
	case n.vote == condemnedTag && s.o.graceLeft(t, s.image) > 0:
		return actions.GuardGrace
	case n.vote == condemnedTag && reportOnly(s.votes[i].Delete):
		return actions.GuardReportOnly
	case t.Digest == "" && s.o.SharedDigest != actions.Untag:
		return actions.GuardSharedDigest // nobody knows what would go with it
	default:
		return ""
	}
}

// spread makes stay what the tags in the queue make stay, and what those do.
// The queue holds tags that stay.
func (s *standing) spread() {
	for len(s.queue) > 0 {
		last := len(s.queue) - 1
		id := s.nodes[s.queue[last]].digest
		s.queue = s.queue[:last]
		if id == none || s.groups[id].spoken {
			continue
		}
		g := &s.groups[id]
		g.spoken = true
		if s.o.SharedDigest != actions.Untag {
			for m := g.members; m != none; m = s.nodes[m].nextSame {
				s.stay(m)
			}
		}
		for a := g.attached; a != none; a = s.nodes[a].nextAtt {
			s.stay(a)
		}
	}
}

func (s *standing) stay(i int32) {
	if s.nodes[i].goes {
		s.nodes[i].goes = false
		s.stays(i)
	}
}

// stays puts a tag that stays to the others.
func (s *standing) stays(i int32) {
	s.queue = append(s.queue, i)
	if s.counts(i) {
		s.staying++
	}
}

// keepAtLeast holds the newest tags that would go until enough stay. Each one
// held may make others stay, which then count too.
func (s *standing) keepAtLeast() {
	if s.staying >= s.o.KeepAtLeast {
		return
	}
	var candidates []int32
	for i := range s.nodes {
		if s.nodes[i].goes && s.counts(int32(i)) {
			candidates = append(candidates, int32(i))
		}
	}
	slices.SortFunc(candidates, s.compareAge)
	s.enough = "held so that " + text.Count(s.o.KeepAtLeast, "tag") + " of the image " + text.Choose(s.o.KeepAtLeast, "stays", "stay")
	for _, i := range candidates {
		if s.staying >= s.o.KeepAtLeast {
			return
		}
		if s.nodes[i].goes {
			s.nodes[i].local = actions.GuardKeepAtLeast
			s.stay(i)
			s.spread()
		}
	}
}

// counts says whether a tag counts for keep_at_least.
func (s *standing) counts(i int32) bool {
	return !s.nodes[i].attached && s.tags[i].Status == registry.StatusReady
}

// compareAge puts newer tags first; names break ties, so that the order is total.
func (s *standing) compareAge(a, b int32) int {
	x, y := &s.tags[a], &s.tags[b]
	return cmp.Or(y.UpdatedAt.Compare(x.UpdatedAt), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
}
