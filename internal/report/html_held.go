package report

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// guardView is everything that one guard holds.
type guardView struct {
	Guard, Words string
	Count        int
	Objects      []*heldView
}

// heldView is what a guard holds of one image or namespace.
type heldView struct {
	Region, Name string
	Count        int
	Sets         []*setView
}

// held is everything that is held, by guard, and then by image.
func (f *filterView) held(groups []*namespaceGroup) []*guardView {
	guards := map[actions.Guard]*guardView{}
	add := func(o *objectGroup) {
		for _, part := range groupBy(o.held, func(h heldEntry) string { return string(h.Guard) }) {
			guard := part.entries[0].Guard
			v := guards[guard]
			if v == nil {
				v = &guardView{Guard: clean(string(guard)), Words: guardWords(guard)}
				guards[guard] = v
			}
			v.Objects = append(v.Objects, f.heldObject(o.ref, part.entries))
			v.Count += len(part.entries)
		}
	}
	for _, ns := range groups {
		add(&ns.own)
		for _, image := range ns.images {
			add(image)
		}
	}
	var out []*guardView
	for _, g := range actions.Guards() {
		if v := guards[g]; v != nil {
			out = append(out, v)
			delete(guards, g)
		}
	}
	// A guard of a later version, in a plan from a file: never hidden.
	var others []*guardView
	for _, v := range guards {
		others = append(others, v)
	}
	slices.SortFunc(others, func(a, b *guardView) int { return strings.Compare(a.Guard, b.Guard) })
	return append(out, others...)
}

func (f *filterView) heldObject(ref registry.Ref, entries []heldEntry) *heldView {
	v := &heldView{Region: clean(string(ref.Region)), Name: objectName(ref), Count: len(entries)}
	exact, loose := byLikeness(entries,
		func(h heldEntry) string {
			return string(h.Action) + "\x00" + h.Detail + "\x00" + reasonsKey(h.Reasons)
		},
		func(h heldEntry) string { return string(h.Action) + "\x00" + rulesOf(h.Reasons) })
	for _, a := range exact {
		v.Sets = append(v.Sets, f.heldSet(ref, a.entries, false))
	}
	for _, a := range loose {
		v.Sets = append(v.Sets, f.heldSet(ref, a.entries, len(a.entries) > 1))
	}
	return v
}

// heldSet is a set of held entries; those that differ say why one by one.
func (f *filterView) heldSet(ref registry.Ref, entries []heldEntry, differ bool) *setView {
	first := &entries[0]
	set := f.setOf(ref, first.Action, first.Guard, first.Reasons)
	set.Sign, set.Title, set.Why = "held", "Held", whys(first.Reasons)
	if first.Action == actions.DeleteTag {
		set.Title = "Held " + text.Count(len(entries), "tag")
	}
	if differ {
		set.Why = rulesOnly(first.Reasons)
	} else if first.Detail != "" {
		set.Title += ": " + clean(first.Detail)
	}
	rows := make([]rowView, len(entries))
	for i := range entries {
		rows[i] = rowView{Name: clean(heldName(entries[i]))}
		if differ {
			rows[i].Note = clean(entries[i].Detail)
		}
	}
	return set.fill(rows)
}

// objectName is a reference without its host.
func objectName(ref registry.Ref) string {
	name := ref.Namespace
	if ref.Image != "" {
		name += "/" + ref.Image
	}
	return clean(name)
}
