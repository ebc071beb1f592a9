package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// NeedsContent lists the digests whose content decides about the deletions in an image and
// is not known, sorted; nil if there are none. It may name others once those were read.
//
//   - A tag that would be deleted may be a part of an index that is kept.
//   - The subject of an orphan that would be deleted may be a part of an index that is kept.
//   - ReadAlways: how much a deletion frees depends on every tag of the image.
func NeedsContent(v registry.Verdict, o Options) []string {
	deletes := func(t registry.TagVerdict) bool { return isMarked(t.Delete, t.Keep) }
	if v.Image == nil || o.Content.Read == ReadNever || len(v.Tags) != len(v.Image.Tags) || !slices.ContainsFunc(v.Tags, deletes) {
		return nil
	}
	wholes := v.Image.Wholes()
	if o.Content.Read != ReadAlways && o.Content.MultiArch != MultiArchAll && o.Orphans != DeleteOrphans && !wholes.Unsure() {
		return nil // in most images, whatever is kept
	}
	o = o.at(v.Image.Ref())
	d := &imageDecision{o: &o, v: &v, part: &Part{}, ref: v.Image.Ref().String()}
	if guard, _ := d.distrust(); guard != "" {
		return nil
	}
	d.evaluate(onlyUnread)
	needs := &needs{image: v.Image, digests: map[string]bool{}}
	if o.Content.Read == ReadAlways && slices.ContainsFunc(d.nodes, func(n node) bool { return n.deleted }) {
		for digest := range d.byDigest {
			needs.add(digest)
		}
	}
	for i := range d.nodes {
		if !d.asksForWholes(int32(i)) {
			continue
		}
		for _, digest := range wholes.MaybeOf(i) {
			needs.addWhole(d, digest, int32(i))
		}
		isOrphan := d.nodes[i].attachment && d.nodes[i].subject == none
		if (isOrphan || !d.related) && !needs.isEnough {
			needs.addWholes(d, int32(i))
		}
	}
	return slices.Sorted(maps.Keys(needs.digests))
}

// needs collects digests.
type needs struct {
	image    *registry.Image
	digests  map[string]bool
	isEnough bool // all that stay are among them
}

// add adds a digest, unless it was read or cannot be.
func (n *needs) add(digest string) {
	if _, unread := n.image.Unread[digest]; !unread && n.image.Contents[digest] == nil {
		n.digests[digest] = true
	}
}

// addWhole adds a digest that i may be a part of, if it is kept, or may be kept for at_most.
func (n *needs) addWhole(d *imageDecision, digest string, i int32) {
	if id := d.byDigest[digest]; id != d.nodes[i].digest && (d.isKept(id) || d.o.AtMost > 0) {
		n.add(digest)
	}
}

// addWholes adds all digests that i may be a part of.
func (n *needs) addWholes(d *imageDecision, i int32) {
	own := d.nodes[i].digest
	n.isEnough = own == none || !d.isKept(own) && d.o.AtMost <= 0
	for digest := range d.byDigest {
		n.addWhole(d, digest, i)
	}
}

// asksForWholes reports whether it matters what a tag is a part of: it is marked, or
// follows its subject, and no guard before part_of holds it.
func (d *imageDecision) asksForWholes(i int32) bool {
	if rules := d.nodes[i].rules; rules != marked && rules != follows {
		return false
	}
	switch d.guard(i) {
	case actions.GuardNotReady, actions.GuardInUse, actions.GuardAttachment:
		return false
	}
	return true
}

// isPartOfKept reports whether a tag is, or may be, a part of an index that is kept.
func (d *imageDecision) isPartOfKept(i int32) bool {
	return !d.related && d.othersUnread(i) > 0 || slices.ContainsFunc(d.wholes[i], d.isKept)
}

func (d *imageDecision) isKept(group int32) bool { return d.groups[group].kept > 0 }

// keptWhole is the group of the index that isPartOfKept, or belongsToPart, has found among
// some, or else among all that are not known: the one that explains best why a tag is kept.
func (d *imageDecision) keptWhole(i int32, wholes []int32) int32 {
	if slices.ContainsFunc(wholes, d.isKept) {
		return d.bestWholes(wholes)[0]
	}
	if d.bestUnread == nil {
		d.bestUnread = d.bestWholes(d.unread)
	}
	if id := d.bestUnread[0]; id != d.nodes[i].digest {
		return id
	}
	return d.bestUnread[1]
}

// bestWholes are the kept groups among some, the best explanation first.
func (d *imageDecision) bestWholes(groups []int32) []int32 {
	kept := slices.DeleteFunc(slices.Clone(groups), func(id int32) bool { return !d.isKept(id) })
	slices.SortFunc(kept, func(a, b int32) int {
		x, y := d.causeOf(a), d.causeOf(b)
		return cmp.Or(rank(!d.isRead(a))-rank(!d.isRead(b)), cmp.Compare(d.rankCause(x), d.rankCause(y)), d.compareAge(x, y))
	})
	return kept
}

// isRead reports whether the content of a group is known.
func (d *imageDecision) isRead(id int32) bool { return d.v.Image.Contents[d.digestOf(id)] != nil }

// partDetail explains of what a tag is a part, or may be.
func (d *imageDecision) partDetail(i int32) string {
	return d.wholeDetail(i, d.keptWhole(i, d.wholes[i]), "part of the multi-platform image ", "may be part of ")
}

// wholeDetail explains what an index that is kept, or may be one, is to a tag.
func (d *imageDecision) wholeDetail(i, id int32, is, maybe string) string {
	digest := d.digestOf(id)
	if d.v.Image.Contents[digest] != nil {
		return is + d.why(id, i)
	}
	detail := maybe + d.why(id, i)
	if why := d.v.Image.Unread[digest]; why != "" {
		return detail + ", and whose content could not be read: " + why
	}
	return detail + ", and whose content is not known"
}

// together are pairs of digests that are deleted: of an index, and of a tag that is, or may
// be, a part of it, or is attached to one; and of a subject, and of a tag whose content, and
// not its name, says that it is attached.
func (d *imageDecision) together() [][2]string {
	var out [][2]string
	isDoubtful := func(id int32) bool { return d.groups[id].unread && !d.isKept(id) }
	doubt := slices.IndexFunc(d.unread, isDoubtful)
	for i := range d.nodes {
		n := &d.nodes[i]
		if !n.deleted {
			continue
		}
		isOrphan := n.attachment && n.subject == none
		if doubt >= 0 && (!d.related || isOrphan || len(d.orphans) > 0 && n.digest != none && isDoubtful(n.digest)) {
			out = append(out, [2]string{d.digestOf(d.unread[doubt]), d.v.Image.Tags[i].Digest})
		}
		if n.subject != none && registry.AttachmentSubject(d.v.Image.Tags[i].Name, d.v.Image.Tags[i].Digest) == "" {
			out = append(out, [2]string{d.digestOf(n.subject), d.v.Image.Tags[i].Digest})
		}
		for _, id := range slices.Concat(d.wholes[int32(i)], d.subjectWholes[int32(i)]) {
			out = append(out, [2]string{d.digestOf(id), d.v.Image.Tags[i].Digest})
		}
	}
	return out
}

// digestOf is the digest of a group.
func (d *imageDecision) digestOf(id int32) string {
	return d.v.Image.Tags[d.groups[id].firstMember].Digest
}

// composition connects the tags that are, or may be, parts of an index with the group of
// its digest. The zero composition connects none.
type composition struct {
	wholes     map[int32][]int32 // by part
	parts      map[int32][]int32 // by group
	unread     []int32           // groups whose content is not known, in any order
	keptUnread int               // of those
	related    bool              // only tags with a related name may be parts of those
	orphans    []int32           // attachments to what no tag has
	// subjectWholes are, by orphan, the groups of which its subject is a part, and
	// subjects are those orphans by group.
	subjectWholes, subjects map[int32][]int32
}

// guesses is whether a tag counts as a part of what is not known.
type guesses uint8

const (
	// allGuesses: of all that it may be a part of.
	allGuesses guesses = iota
	// onlyUnread: of what could not be read, and never will.
	onlyUnread
)

// connectParts connects the tags of an image, none of which is marked yet.
func (d *imageDecision) connectParts() {
	wholes := d.v.Image.Wholes()
	d.related = d.o.Content.MultiArch != MultiArchAll
	for i := range d.nodes {
		n := &d.nodes[i]
		for _, digest := range wholes.Of(i) {
			d.connectPart(int32(i), digest)
		}
		if n.attachment && n.subject == none && !n.unclear {
			d.connectOrphan(int32(i), wholes.OfSubject(d.attachedTo[i]))
		}
	}
	if d.o.Content.Read == ReadNever {
		return
	}
	for digest, id := range d.byDigest {
		if d.isDoubtful(digest) {
			d.unread, d.groups[id].unread = append(d.unread, id), true
		}
	}
	d.keptUnread = len(d.unread)
	for i := range d.nodes {
		for _, digest := range wholes.MaybeOf(i) {
			if d.related && d.isDoubtful(digest) {
				d.connectPart(int32(i), digest)
			}
		}
	}
}

// isDoubtful reports whether a digest counts as anything that it may be, because its
// content is not known.
func (d *imageDecision) isDoubtful(digest string) bool {
	_, unread := d.v.Image.Unread[digest]
	return d.v.Image.Contents[digest] == nil && (unread || d.guess == allGuesses)
}

// connectOrphan connects an attachment to what no tag has with the indexes of that.
func (d *imageDecision) connectOrphan(i int32, indexes []string) {
	d.orphans = append(d.orphans, i)
	for _, digest := range indexes {
		if d.byDigest[digest] == d.nodes[i].digest {
			continue // an attachment does not keep itself
		}
		if d.subjectWholes == nil {
			d.subjectWholes, d.subjects = map[int32][]int32{}, map[int32][]int32{}
		}
		id := d.byDigest[digest]
		d.subjectWholes[i] = append(d.subjectWholes[i], id)
		d.subjects[id] = append(d.subjects[id], i)
	}
}

// belongsToPart reports whether the subject of an attachment, which no tag has, is, or may
// be, a part of an index that is kept.
func (d *imageDecision) belongsToPart(i int32) bool {
	return d.othersUnread(i) > 0 || slices.ContainsFunc(d.subjectWholes[i], d.isKept)
}

// othersUnread counts the kept groups other than that of a tag whose content is not known.
func (d *imageDecision) othersUnread(i int32) int {
	if own := d.nodes[i].digest; own != none && d.groups[own].unread && d.isKept(own) {
		return d.keptUnread - 1
	}
	return d.keptUnread
}

func (g *graph) connectPart(i int32, index string) {
	if g.wholes == nil {
		g.wholes, g.parts = map[int32][]int32{}, map[int32][]int32{}
	}
	id := g.byDigest[index]
	g.wholes[i] = append(g.wholes[i], id)
	g.parts[id] = append(g.parts[id], i)
}
