package scanner

import (
	"errors"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Narrow restricts the stream to a scope, as if that scope had been scanned. It
// is to be called before Stream. An inventory of everything can be narrowed to
// any scope; one that was narrow itself, only to its own: what it left out
// cannot be had from it.
func (i *Inventory) Narrow(s Scope) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.equal(i.Header.Scope) {
		i.narrow = nil
		return nil
	}
	if !i.Header.Scope.equal(Scope{}) {
		return errors.New("the inventory was taken with another scope, which left things out: take the scan again with this configuration, or use the configuration that it was taken with")
	}
	i.narrow = newNarrower(s)
	return nil
}

func newNarrower(s Scope) *narrower {
	return &narrower{scope: s.normal(), globs: s.globs(), namespaces: map[*registry.Namespace]bool{}, names: map[registry.Ref]*registry.Namespace{}}
}

// narrower filters the items of a scan of everything.
type narrower struct {
	scope Scope // in normal form: its regions are spelled out
	globs globs
	// namespaces are those that may matter; true once they are out.
	namespaces map[*registry.Namespace]bool
	// names are all namespaces.
	names map[registry.Ref]*registry.Namespace
}

// pass returns what becomes of an item. A nil narrower passes everything.
func (f *narrower) pass(item Item) []Item {
	switch {
	case f == nil, item.Use != nil:
		return []Item{item}
	case item.Namespace != nil:
		return f.namespace(item)
	case item.Image != nil:
		return f.image(item)
	case item.Listed != nil:
		n := item.Listed.Namespace
		return only(item, f.owned(n) && f.globs.namespace(n.Name))
	case item.Skipped != nil:
		return only(item, f.skipped(item.Skipped))
	}
	return only(item, f.gap(item.Gap))
}

// namespace passes a namespace in scope, and keeps one that is not for the first
// of its images that is.
func (f *narrower) namespace(item Item) []Item {
	n := item.Namespace
	f.names[n.Ref()] = n
	if !f.owned(n) {
		return nil
	}
	inScope := f.globs.namespace(n.Name)
	f.namespaces[n] = inScope
	return only(item, inScope)
}

func (f *narrower) image(item Item) []Item {
	n := item.Image.Namespace
	out, owned := f.namespaces[n]
	if !owned || !f.globs.image(n.Name, item.Image.Name) {
		return nil
	}
	f.namespaces[n] = true
	if out {
		return []Item{item}
	}
	return []Item{{Namespace: n}, item}
}

func (f *narrower) skipped(s *Skipped) bool {
	if !slices.Contains(f.scope.Regions, s.Ref.Region) || !f.scope.owned(s.ProjectID, s.OrganizationID) {
		return false
	}
	if s.Ref.Image == "" {
		return f.globs.namespace(s.Ref.Namespace) || f.globs.mayHold(s.Ref.Namespace)
	}
	return f.globs.image(s.Ref.Namespace, s.Ref.Image)
}

// gap drops what is surely outside: another region, an image out of scope.
func (f *narrower) gap(g *registry.Gap) bool {
	if g.Region != "" && !slices.Contains(f.scope.Regions, g.Region) {
		return false
	}
	ref, err := registry.ParseRef(g.Subject)
	if err != nil || ref.Image == "" {
		return true
	}
	n := f.names[ref.WithoutImage()]
	return f.globs.image(ref.Namespace, ref.Image) && (n == nil || f.owned(n))
}

func (f *narrower) owned(n *registry.Namespace) bool {
	return slices.Contains(f.scope.Regions, n.Region) && f.scope.owned(n.ProjectID, n.OrganizationID)
}

func only(item Item, pass bool) []Item {
	if pass {
		return []Item{item}
	}
	return nil
}
