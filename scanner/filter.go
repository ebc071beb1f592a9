package scanner

import (
	"errors"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Filter restricts a scan to a scope, item by item, in the order in which the scan
// delivered them. It cannot restore what the scan left out: the result is what both
// scopes hold.
type Filter struct {
	scope Scope // in normal form: its regions are listed
	// namespaces are those that may matter; true once they were passed.
	namespaces map[*registry.Namespace]bool
	// names are all namespaces.
	names map[registry.Ref]*registry.Namespace
}

// NewFilter checks the scope.
func NewFilter(s Scope) (*Filter, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Filter{scope: s.normal(), namespaces: map[*registry.Namespace]bool{}, names: map[registry.Ref]*registry.Namespace{}}, nil
}

// Narrow restricts the stream to a scope, as if that scope had been scanned. Call it
// before Stream. An inventory of everything can be narrowed to any scope; one of a
// narrower scope only to its own, or to a part of that.
func (i *Inventory) Narrow(s Scope) error {
	filter, err := NewFilter(s)
	whole := s
	whole.Only = i.Header.Scope.Only
	switch {
	case err != nil:
		return err
	case s.Equal(i.Header.Scope):
		i.filter = nil
		return nil
	case !i.Header.Scope.Equal(Scope{}) && !i.Header.Scope.Equal(whole):
		return errors.New("the inventory was taken with another scope, which left things out: take the scan again with this configuration, or use the configuration that it was taken with")
	}
	i.filter = filter
	return nil
}

// Pass returns what becomes of the item: itself, nothing, or a namespace that was
// held back and itself. Call it from one goroutine at a time. A nil filter passes
// everything.
func (f *Filter) Pass(item Item) []Item {
	switch {
	case f == nil, item.Use != nil:
		return []Item{item}
	case item.Namespace != nil:
		return f.namespace(item)
	case item.Image != nil:
		return f.image(item)
	case item.Listed != nil:
		n := item.Listed.Namespace
		return only(item, f.owned(n) && f.scope.holdsNamespace(n.Name))
	case item.Skipped != nil:
		return only(item, f.skipped(item.Skipped))
	}
	return only(item, f.gap(item.Gap))
}

// namespace passes a namespace in scope, and keeps another one until the first of
// its images that is.
func (f *Filter) namespace(item Item) []Item {
	n := item.Namespace
	f.names[n.Ref()] = n
	if !f.owned(n) {
		return nil
	}
	inScope := f.scope.holdsNamespace(n.Name)
	f.namespaces[n] = inScope
	return only(item, inScope)
}

func (f *Filter) image(item Item) []Item {
	n := item.Image.Namespace
	passed, owned := f.namespaces[n]
	if !owned || !f.scope.holdsImage(n.Name, item.Image.Name) {
		return nil
	}
	f.namespaces[n] = true
	if passed {
		return []Item{item}
	}
	return []Item{{Namespace: n}, item}
}

func (f *Filter) skipped(s *Skipped) bool {
	if !slices.Contains(f.scope.Regions, s.Ref.Region) || !f.scope.owned(s.ProjectID, s.OrganizationID) {
		return false
	}
	if s.Ref.Image == "" {
		return f.scope.holdsNamespace(s.Ref.Namespace) || f.scope.mayHoldImages(s.Ref.Namespace)
	}
	return f.scope.holdsImage(s.Ref.Namespace, s.Ref.Image)
}

// gap drops what is certainly outside: another region, or an image out of scope.
func (f *Filter) gap(g *registry.Gap) bool {
	if g.Region != "" && !slices.Contains(f.scope.Regions, g.Region) {
		return false
	}
	ref, err := registry.ParseRef(g.Subject)
	if err != nil || ref.Image == "" {
		return true
	}
	n := f.names[ref.WithoutImage()]
	return f.scope.holdsImage(ref.Namespace, ref.Image) && (n == nil || f.owned(n))
}

func (f *Filter) owned(n *registry.Namespace) bool {
	return slices.Contains(f.scope.Regions, n.Region) && f.scope.owned(n.ProjectID, n.OrganizationID)
}

func only(item Item, pass bool) []Item {
	if pass {
		return []Item{item}
	}
	return nil
}
