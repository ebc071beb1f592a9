package facts

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// This file is about tags for one platform beside the index of all platforms: keep.last
// must not count them, or the parts of one version push another version out.

// wholes are the indexes of the image that its tags are parts of.
func (f *Image) wholes() *registry.Wholes {
	if f.wholesOf == nil {
		wholes := f.img.Wholes()
		f.wholesOf = &wholes
	}
	return f.wholesOf
}

// isPart reports whether a tag is a part of an index that another tag has.
func (f *Image) isPart(t *tag) bool { return len(f.wholes().Of(t.index)) > 0 }

// maybeOf are the digests whose content is not known, and that a tag may be a part of: by
// their names, or with content.multi_arch: all whatever they are. The digest of the tag
// itself may be among them.
func (f *Image) maybeOf(t *tag) []string {
	if !f.scan.Rules.AnyMayBePart() {
		return f.wholes().MaybeOf(t.index)
	}
	if f.unknown == nil {
		f.unknown = []string{}
		seen := map[string]bool{}
		for i := range f.tags {
			other := &f.tags[i]
			if digest := other.KnownDigest(); other.counts() && digest != "" && other.content == nil && !seen[digest] {
				seen[digest] = true
				f.unknown = append(f.unknown, digest)
			}
		}
	}
	return f.unknown
}

// mayBePart reports whether a tag may be a part of an index that could not be read.
func (f *Image) mayBePart(t *tag) bool {
	return len(f.img.Unread) > 0 && slices.ContainsFunc(f.maybeOf(t), func(digest string) bool {
		_, unread := f.img.Unread[digest]
		return unread && digest != t.Digest
	})
}

// places numbers the tags of a group for keep.last. A part of an index takes no place: it
// has the number that it would have if it did, and those of the others are as if it were
// not there. What may be a part takes none either, and has the number of a tag that is not
// one, while all others are that may be: it is kept if it could be.
type places struct {
	of           *Image
	counted, all *counter
}

func (f *Image) places(r *retentionRule) *places {
	p := &places{of: f, counted: newCounter(r.Count)}
	p.all = p.counted
	if len(f.img.Contents)+len(f.img.Unread) > 0 {
		p.all = newCounter(r.Count)
	}
	return p
}

// number is the number of a tag that counts, which comes next.
func (p *places) number(t *tag) int {
	if p.all == p.counted { // there are no parts, and a counter counts each call
		return p.counted.of(t.Tag)
	}
	position := p.all.of(t.Tag)
	switch {
	case p.of.isPart(t):
		return position
	case p.of.mayBePart(t):
		return p.counted.next(t.Tag)
	}
	return p.counted.of(t.Tag)
}

// shared is the number of the digest of a tag that does not count.
func (p *places) shared(t *tag) (int, bool) {
	if position, seen := p.counted.digests[t.Digest]; seen {
		return position, true
	}
	position, seen := p.all.digests[t.Digest]
	return position, seen
}

// UnknownWholes are the digests that are not known and whose content decides about the
// places of keep.last: tags in those places may be parts of them. It
// matters to rules by which a tag would be deleted.
func (f *Image) UnknownWholes(deleted func(tag int) bool) []string {
	needed := map[string]bool{}
	all := f.scan.Rules.retention
	for i := range all {
		r := &all[i]
		if r.Keep == nil || r.Keep.Last < 1 {
			continue
		}
		for _, g := range r.grouping.split(f.matchedBy(i).decided) {
			if slices.ContainsFunc(g.tags, func(t *tag) bool { return deleted(t.index) }) {
				f.addUnknownWholes(r, g, needed)
			}
		}
	}
	digests := make([]string, 0, len(needed))
	for digest := range needed {
		digests = append(digests, digest)
	}
	return digests
}

// addUnknownWholes walks through the tags of a group until all places are taken by tags
// that are certainly no parts.
func (f *Image) addUnknownWholes(r *retentionRule, g group, needed map[string]bool) {
	p := f.places(r)
	for _, t := range g.tags {
		if f.unknown != nil && len(needed) == len(f.unknown) {
			return // all are needed
		}
		if !t.counts() || f.isPart(t) || f.mayBePart(t) {
			continue
		}
		certain := true
		for _, digest := range f.maybeOf(t) {
			if digest != t.Digest {
				needed[digest], certain = true, false
			}
		}
		if certain && p.counted.of(t.Tag) >= r.Keep.Last {
			return
		}
	}
}
