package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// namespaceGroup is what the plan has for one namespace.
type namespaceGroup struct {
	ref    registry.Ref
	own    objectGroup    // of the namespace itself
	images []*objectGroup // sorted by name
}

// objectGroup is what the plan has for one image with its tags, or for one
// namespace itself.
type objectGroup struct {
	ref     registry.Ref
	tags    []actions.Step // tags that go
	objects []actions.Step // steps on the object itself
	held    []heldEntry
}

// heldEntry is a held entry with its reference taken apart.
type heldEntry struct {
	actions.Held
	tag string
}

// groupByNamespace orders the plan for reading: by region, namespace and image.
// The order of references is another one, in which api-v2 comes before api:v1.
func groupByNamespace(p *actions.Plan) []*namespaceGroup {
	g := grouper{namespaces: make(map[registry.Ref]*namespaceGroup), images: make(map[registry.Ref]*objectGroup)}
	for _, s := range p.Steps {
		object := g.object(s.Object())
		if s.Action == actions.DeleteTag {
			object.tags = append(object.tags, s)
		} else {
			object.objects = append(object.objects, s)
		}
	}
	for _, h := range p.Held {
		ref, err := registry.ParseRef(h.Ref)
		if err != nil {
			ref = registry.Ref{Namespace: h.Ref} // never hidden, whatever it is
		}
		entry := heldEntry{Held: h, tag: ref.Tag}
		object := g.object(ref.WithoutTag())
		object.held = append(object.held, entry)
	}
	out := slices.Collect(maps.Values(g.namespaces))
	slices.SortFunc(out, func(a, b *namespaceGroup) int { return compareRefs(a.ref, b.ref) })
	for _, ns := range out {
		slices.SortFunc(ns.images, func(a, b *objectGroup) int { return compareRefs(a.ref, b.ref) })
	}
	return out
}

func compareRefs(a, b registry.Ref) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Image, b.Image))
}

type grouper struct {
	namespaces map[registry.Ref]*namespaceGroup
	images     map[registry.Ref]*objectGroup
}

// object finds the group of an image, or of a namespace itself.
func (g *grouper) object(ref registry.Ref) *objectGroup {
	home := ref.WithoutImage()
	ns := g.namespaces[home]
	if ns == nil {
		ns = &namespaceGroup{ref: home, own: objectGroup{ref: home}}
		g.namespaces[home] = ns
	}
	if ref.Image == "" {
		return &ns.own
	}
	image := g.images[ref]
	if image == nil {
		image = &objectGroup{ref: ref}
		g.images[ref] = image
		ns.images = append(ns.images, image)
	}
	return image
}

// alike is a run of entries that have something to say in common.
type alike[T any] struct{ entries []T }

// byLikeness groups entries: those that are the same but for their name first,
// in groups of two or more, then those that are alike in kind. Within a group
// and among groups the order of the entries stays.
func byLikeness[T any](entries []T, same, kind func(T) string) (exact, loose []alike[T]) {
	exact = groupBy(entries, same)
	var single []T
	exact = slices.DeleteFunc(exact, func(a alike[T]) bool {
		if len(a.entries) == 1 {
			single = append(single, a.entries[0])
			return true
		}
		return false
	})
	return exact, groupBy(single, kind)
}

func groupBy[T any](entries []T, key func(T) string) []alike[T] {
	var out []alike[T]
	at := make(map[string]int)
	for _, e := range entries {
		k := key(e)
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, alike[T]{})
		}
		out[i].entries = append(out[i].entries, e)
	}
	return out
}
