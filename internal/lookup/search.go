package lookup

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Search finds what a reference names among the items of a feed.
type Search struct {
	Gaps []registry.Gap // all that the feed has

	named Named
	found []found
	hides bool // one of the gaps may hide a candidate
}

// Search starts a search.
func (n Named) Search() *Search { return &Search{named: n} }

// found is a candidate, and the image or namespace that it is, or is in.
type found struct {
	uses.Reference
	item    scanner.Item
	skipped *scanner.Skipped
}

// Object is one that the reference names, and the item that it is, or is in: an empty
// one where a gap may hide it.
type Object struct {
	Ref     registry.Ref
	Item    scanner.Item
	Skipped *scanner.Skipped // why it is not judged; nil if it is
}

// Add keeps what is about a candidate.
func (s *Search) Add(item scanner.Item) {
	if item.Gap != nil {
		s.Gaps = append(s.Gaps, *item.Gap)
		s.hides = s.hides || HidesObjects(item.Gap) && slices.ContainsFunc(s.named.candidates, func(c uses.Reference) bool { return mayHide(item.Gap, c) })
		return
	}
	for _, c := range s.named.candidates {
		switch {
		case isOf(c, item):
			s.found = append(s.found, found{Reference: c, item: item})
		case item.Skipped != nil && holds(item.Skipped.Ref, c.Ref):
			s.found = append(s.found, found{Reference: c, skipped: item.Skipped})
		}
	}
}

// HidesObjects reports whether a gap is about what is in the registry, rather than
// about a use source or the clock, so that the object may be missing because of it.
func HidesObjects(g *registry.Gap) bool {
	return g.Source == "" && g.Subject != actions.ClockSubject && g.Holds != registry.HoldsNothing
}

// mayHide reports whether what could not be read may hold a candidate: any gap may,
// except one of another region, or of another image or namespace.
func mayHide(g *registry.Gap, c uses.Reference) bool {
	if c.Ref == (registry.Ref{}) {
		return true
	}
	if g.Region != "" && g.Region != c.Ref.Region {
		return false
	}
	of, err := registry.ParseRef(g.Subject)
	return err != nil || holds(of, c.Ref) || holds(c.Ref.WithoutTag(), of)
}

// isOf reports whether an item is what a candidate names, or the image of that. A
// digest alone is in every image that has a tag with it.
func isOf(c uses.Reference, item scanner.Item) bool {
	ref := c.Ref.WithoutTag()
	switch {
	case item.Image != nil && ref == (registry.Ref{}):
		return len(tagsOf(c, item.Image)) > 0
	case item.Image != nil:
		return item.Image.Ref() == ref
	}
	return item.Listed != nil && item.Listed.Namespace.Ref() == ref
}

// tagsOf are the names of the tags of an image that a candidate names, sorted.
func tagsOf(c uses.Reference, img *registry.Image) []string {
	var names []string
	for i := range img.Tags {
		t := &img.Tags[i]
		if (c.Ref.Tag == "" || t.Name == c.Ref.Tag) && (c.Digest == "" || t.Digest == c.Digest) {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}

// holds reports whether one reference is another, or is what the other is in.
func holds(outer, inner registry.Ref) bool {
	return outer.Region == inner.Region && outer.Namespace == inner.Namespace &&
		(outer.Image == "" || outer.Image == inner.Image)
}

// Objects are those that the reference names: one, or the tags of one digest. An error
// that is registry.ErrNotFound means that there is none.
func (s *Search) Objects() ([]Object, error) {
	var out []Object
	regions := map[registry.Region]bool{}
	for _, x := range s.found {
		for _, ref := range x.refs() {
			out = append(out, Object{ref, x.item, x.skipped})
			regions[ref.Region] = true
		}
	}
	slices.SortFunc(out, func(a, b Object) int { return cmp.Compare(a.Ref.String(), b.Ref.String()) })
	switch {
	case len(regions) > 1 && s.named.Ref() != (registry.Ref{}):
		var refs []string
		for _, x := range out {
			refs = append(refs, x.Ref.String())
		}
		return nil, fmt.Errorf("%s %w: name %s", s.named.text, ErrAmbiguous, text.List(refs, "or"))
	case len(out) == 0 && s.hides:
		return []Object{{Ref: s.named.Ref()}}, nil
	case len(out) == 0:
		return nil, s.missing()
	}
	return out, nil
}

// refs are the references of what was found of a candidate.
func (x found) refs() []registry.Ref {
	if x.item.Image == nil || x.Ref.Tag == "" && x.Digest == "" {
		return []registry.Ref{x.Ref}
	}
	var refs []registry.Ref
	for _, name := range tagsOf(x.Reference, x.item.Image) {
		refs = append(refs, x.item.Image.TagRef(name))
	}
	return refs
}

// missing is the error that nothing of that name exists.
func (s *Search) missing() error {
	err := fmt.Errorf("%s: %w", s.named.text, registry.ErrNotFound)
	if len(s.named.candidates) > 1 {
		var regions []string
		for _, c := range s.named.candidates {
			regions = append(regions, string(c.Ref.Region))
		}
		err = fmt.Errorf("%w in %s", err, text.List(regions, "and"))
	}
	if len(s.found) != 1 || s.found[0].item.Image == nil {
		return err
	}
	img := s.found[0].item.Image
	for i := range img.Tags {
		if t := &img.Tags[i]; t.Name == s.named.candidates[0].Ref.Tag {
			return fmt.Errorf("%w: the tag has the digest %s now", err, t.Digest)
		}
	}
	return fmt.Errorf("%w: the image has %s", err, text.Count(len(img.Tags), "other tag"))
}
