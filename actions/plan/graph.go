package plan

import (
	"iter"

	"github.com/registry-janitor/registry-janitor/registry"
)

// graph connects the tags of an image that depend on each other: the tags of one
// digest, and attachments with their subject. Tags are linked by index, since an
// image may have 100,000 of them. The zero graph deletes no tag.
type graph struct {
	nodes      []node
	groups     []group
	byDigest   map[string]int32 // the groups
	kept       int              // tags that are not deleted and count for keep_at_least
	allDigests bool
	attachedTo []registry.Subject // of each tag
	composition
}

// node is one tag.
type node struct {
	digest       int32 // its group; none when the digest is not known
	subject      int32 // the group it is attached to; none when no tag has that digest, or several may
	nextMember   int32
	nextAttached int32
	rules        ruling
	attachment   bool
	unclear      bool // several digests begin with the one that it names
	counts       bool // for keep_at_least
	deleted      bool // unless a guard holds it
	lastKept     bool // keep_at_least holds it
}

// group is the tags of one digest, and the attachments to it.
type group struct {
	firstMember, firstAttached int32
	kept                       int32 // members that are not deleted
	cause                      int32 // the member that explains best why the digest is kept; see why
	unread                     bool  // its content is not known
}

const none int32 = -1

// ruling is what the rules say of a tag.
type ruling uint8

const (
	unmarked ruling = iota
	kept
	marked
	follows // an attachment that no rule marks, and all of whose subjects are marked
)

func newGraph(img *registry.Image) graph {
	tags := img.Tags
	g := graph{
		attachedTo: img.Subjects(),
		nodes:      make([]node, len(tags)), groups: make([]group, 0, len(tags)), byDigest: make(map[string]int32, len(tags)), allDigests: true,
	}
	for i := range tags {
		g.nodes[i] = node{digest: none, subject: none, nextMember: none, nextAttached: none}
		digest := tags[i].KnownDigest()
		if digest == "" {
			g.allDigests = false
			continue
		}
		g.join(int32(i), digest)
	}
	var digests *registry.Digests // nil until needed
	for i := range tags {
		if subject := g.attachedTo[i]; subject != "" {
			if digests == nil {
				digests = registry.DigestsOf(tags)
			}
			g.attach(int32(i), digests.Named(subject))
		}
		n := &g.nodes[i]
		if n.counts = !n.attachment && tags[i].Status == registry.StatusReady; n.counts {
			g.kept++
		}
	}
	return g
}

// leaveOutRestored does not count restored tags for keep_at_least.
func (g *graph) leaveOutRestored(tags []registry.TagVerdict) {
	for i := range g.nodes {
		if n := &g.nodes[i]; n.counts && tags[i].Restored {
			n.counts = false
			g.kept--
		}
	}
}

// join puts a tag into the group of its digest.
func (g *graph) join(i int32, digest string) {
	id, ok := g.byDigest[digest]
	if !ok {
		id = int32(len(g.groups)) //nolint:gosec // G115: an image has fewer than 2^31 tags
		g.byDigest[digest] = id
		g.groups = append(g.groups, group{firstMember: none, firstAttached: none, cause: none})
	}
	n, of := &g.nodes[i], &g.groups[id]
	n.digest, n.nextMember, of.firstMember = id, of.firstMember, i
	of.kept++
}

// attach makes a tag an attachment to its subject.
func (g *graph) attach(i int32, digests []string) {
	n := &g.nodes[i]
	n.attachment, n.unclear = true, len(digests) > 1
	if len(digests) == 1 {
		id := g.byDigest[digests[0]]
		n.subject, n.nextAttached = id, g.groups[id].firstAttached
		g.groups[id].firstAttached = i
	}
}

// members are the tags of a digest.
func (g *graph) members(id int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for m := g.groups[id].firstMember; m != none && yield(m); {
			m = g.nodes[m].nextMember
		}
	}
}

// attached are the attachments to a digest.
func (g *graph) attached(id int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for a := g.groups[id].firstAttached; a != none && yield(a); {
			a = g.nodes[a].nextAttached
		}
	}
}

// deletes reports whether a tag is deleted.
func (g *graph) deletes(i int) bool { return len(g.nodes) > 0 && g.nodes[i].deleted }

// setDeleted marks a tag for deletion, or keeps it.
func (g *graph) setDeleted(i int32, deleted bool) {
	n := &g.nodes[i]
	change := 1
	if deleted {
		change = -1
	}
	n.deleted = deleted
	if n.digest != none {
		of := &g.groups[n.digest]
		before := of.kept
		of.kept += int32(change)
		if of.unread && (before == 0 || of.kept == 0) {
			g.keptUnread += change
		}
	}
	if n.counts {
		g.kept += change
	}
}

// othersKept reports whether a tag of the digest is kept other than this one.
func (g *graph) othersKept(id, i int32) bool {
	if id == none {
		return false
	}
	others := g.groups[id].kept
	if n := &g.nodes[i]; n.digest == id && !n.deleted {
		others--
	}
	return others > 0
}
