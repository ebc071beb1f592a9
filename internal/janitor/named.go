package janitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// OutOfScope is the answer where the configuration leaves everything out that was named.
func (n Named) OutOfScope() runs.Answer {
	return runs.Answer{Explanations: []runs.Explanation{{
		Ref: n.Ref(), Note: outOfScope,
	}}}
}

// outOfScope is why something that the configuration leaves out is not judged.
const outOfScope = "it is outside the scope of the configuration (scope, scaleway.regions)"

// History returns what a ledger has recorded of what a reference names, and that reference in full.
func (p *Planner) History(ctx context.Context, l *ledger.Ledger, n Named) (ref string, events []ledger.Event, err error) {
	var refs []string
	for _, c := range n.candidates {
		if c.Ref == (registry.Ref{}) {
			return "", nil, fmt.Errorf("%s: the history is that of names: name a tag, an image or a namespace", n.text)
		}
		of, err := l.History(ctx, c.Ref.String())
		if err != nil {
			return "", nil, err
		}
		if c.Digest != "" {
			of = slices.DeleteFunc(of, func(e ledger.Event) bool { return e.Digest != c.Digest })
		}
		if len(of) > 0 {
			refs, events = append(refs, c.Ref.String()), of
		}
	}
	switch len(refs) {
	case 0:
		return "", nil, fmt.Errorf("the ledger has no record of %s", n.text)
	case 1:
		return refs[0], events, nil
	}
	return "", nil, fmt.Errorf("%s %w: name %s", n.text, ErrAmbiguous, text.List(refs, "or"))
}

// literal returns a glob that matches the text alone.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(text)
}

// Named is what a reference may name: candidates, of which only one may exist.
type Named struct {
	text       string
	candidates []uses.Reference
}

// ErrAmbiguous reports that more than one object has the name.
var ErrAmbiguous = errors.New("is in more than one region")

// Named reads a reference as container tools do. A name without a host may be
// in any region of the configuration.
func (p *Planner) Named(text string) (Named, error) {
	candidates, err := uses.Candidates(text, p.Config.Scaleway.Regions)
	return Named{text, candidates}, err
}

// Ref is the first candidate.
func (n Named) Ref() registry.Ref { return n.candidates[0].Ref }

// Within returns the candidates in the scope, and a scope that holds only those, with
// their namespaces. It is false if there are none.
func (n Named) Within(s scanner.Scope) (Named, scanner.Scope, bool) {
	inside := slices.DeleteFunc(slices.Clone(n.candidates), func(c uses.Reference) bool { return c.Ref != (registry.Ref{}) && !s.Holds(c.Ref) })
	if len(inside) == 0 || inside[0].Ref == (registry.Ref{}) {
		return n, s, len(inside) > 0
	}
	n.candidates = inside
	ref := n.Ref()
	s.Regions, s.Include, s.Exclude = nil, []string{literal(ref.Namespace)}, nil
	if ref.Image != "" {
		s.Include = append(s.Include, literal(ref.Namespace+"/"+ref.Image))
	}
	for _, c := range n.candidates {
		s.Regions = append(s.Regions, c.Ref.Region)
	}
	return n, s, true
}

// findings are what a feed shows of the candidates for a reference.
type findings struct {
	named Named
	found []found
	gaps  []registry.Gap
	hides bool // one of the gaps may hide a candidate
}

// found is a candidate, and the image or namespace that it is, or is in.
type found struct {
	uses.Reference
	item    scanner.Item
	skipped *scanner.Skipped
}

// explained is one object to explain.
type explained struct {
	ref     registry.Ref
	item    scanner.Item
	skipped *scanner.Skipped
}

// add keeps what is about a candidate.
func (f *findings) add(item scanner.Item) {
	if item.Gap != nil {
		f.gaps = append(f.gaps, *item.Gap)
		f.hides = f.hides || hidesObjects(item.Gap) && slices.ContainsFunc(f.named.candidates, func(c uses.Reference) bool { return mayHide(item.Gap, c) })
		return
	}
	for _, c := range f.named.candidates {
		switch {
		case isOf(c, item):
			f.found = append(f.found, found{Reference: c, item: item})
		case item.Skipped != nil && holds(item.Skipped.Ref, c.Ref):
			f.found = append(f.found, found{Reference: c, skipped: item.Skipped})
		}
	}
}

// hidesObjects reports whether a gap is about what is in the registry, rather than
// about a use source or the clock, so that the object may be missing because of it.
func hidesObjects(g *registry.Gap) bool {
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

// refs are the objects to explain: one, or the tags of one digest.
func (f *findings) refs() ([]explained, error) {
	var out []explained
	regions := map[registry.Region]bool{}
	for _, x := range f.found {
		for _, ref := range x.refs() {
			out = append(out, explained{ref, x.item, x.skipped})
			regions[ref.Region] = true
		}
	}
	slices.SortFunc(out, func(a, b explained) int { return cmp.Compare(a.ref.String(), b.ref.String()) })
	switch {
	case len(regions) > 1 && f.named.Ref() != (registry.Ref{}):
		var refs []string
		for _, x := range out {
			refs = append(refs, x.ref.String())
		}
		return nil, fmt.Errorf("%s %w: name %s", f.named.text, ErrAmbiguous, text.List(refs, "or"))
	case len(out) == 0 && f.hides:
		return []explained{{ref: f.named.Ref()}}, nil
	case len(out) == 0:
		return nil, f.missing()
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
func (f *findings) missing() error {
	err := fmt.Errorf("%s: %w", f.named.text, registry.ErrNotFound)
	if len(f.named.candidates) > 1 {
		var regions []string
		for _, c := range f.named.candidates {
			regions = append(regions, string(c.Ref.Region))
		}
		err = fmt.Errorf("%w in %s", err, text.List(regions, "and"))
	}
	if len(f.found) != 1 || f.found[0].item.Image == nil {
		return err
	}
	img := f.found[0].item.Image
	for i := range img.Tags {
		if t := &img.Tags[i]; t.Name == f.named.candidates[0].Ref.Tag {
			return fmt.Errorf("%w: the tag has the digest %s now", err, t.Digest)
		}
	}
	return fmt.Errorf("%w: the image has %s", err, text.Count(len(img.Tags), "other tag"))
}

// digest is what the answer is about, if that is a digest.
func (n Named) digest(first registry.Ref) string {
	c := n.candidates[0]
	switch {
	case c.Digest == "" || c.Ref.Tag != "":
		return ""
	case c.Ref == (registry.Ref{}):
		return c.Digest
	}
	return first.WithoutTag().String() + "@" + c.Digest
}
