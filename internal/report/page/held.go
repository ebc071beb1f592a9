package page

import (
	"cmp"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// guardView is everything that one guard holds.
type guardView struct {
	Guard   actions.Guard
	Count   int
	Objects []*heldView
}

// heldView is what a guard holds of one image or namespace.
type heldView struct {
	Ref   registry.Ref
	Name  string
	Count int
	Sets  []*set
}

// held is everything that is held, by guard, and then by image.
func (f *filters) held(groups []*outline.Namespace) []*guardView {
	guards := map[actions.Guard]*guardView{}
	for _, ns := range groups {
		for _, o := range ns.Objects() {
			for _, part := range outline.GroupBy(o.Held, func(h outline.Held) string { return string(h.Guard) }) {
				guard := part.First().Guard
				v := guards[guard]
				if v == nil {
					v = &guardView{Guard: guard}
					guards[guard] = v
				}
				v.Objects = append(v.Objects, f.heldObject(o.Ref, part.Entries))
				v.Count += len(part.Entries)
			}
		}
	}
	// A guard of a later version, in a plan from a file, comes last.
	order := append(actions.Guards(), slices.Sorted(maps.Keys(guards))...)
	return slices.SortedFunc(maps.Values(guards), func(a, b *guardView) int {
		return cmp.Compare(slices.Index(order, a.Guard), slices.Index(order, b.Guard))
	})
}

func (f *filters) heldObject(ref registry.Ref, entries []outline.Held) *heldView {
	v := &heldView{Ref: ref, Name: objectName(ref), Count: len(entries)}
	for _, a := range outline.AlikeHeld(entries, func(h outline.Held) string { return string(h.Action) + "\x00" + outline.RulesOf(h.Reasons) }) {
		v.Sets = append(v.Sets, f.heldSet(ref, a))
	}
	return v
}

// heldSet is a set of held entries; those that differ have each its own text.
func (f *filters) heldSet(ref registry.Ref, a outline.Alike[outline.Held]) *set {
	first := a.First()
	v := f.setOf(ref, first.Action, first.Guard, first.Reasons)
	v.Sign, v.Title = "held", "Held"
	if first.Action == actions.DeleteTag {
		v.Title = text.Count(len(a.Entries), "tag") + " held"
	}
	if a.Differ {
		v.Why = rulesOnly(v.Why)
	} else if first.Detail != "" {
		v.Title += ": " + first.Detail
	}
	rows := make([]row, len(a.Entries))
	for i, h := range a.Entries {
		rows[i] = row{Name: h.Name()}
		if a.Differ {
			rows[i].Note = h.Detail
		}
	}
	return v.fill(rows)
}

// findingView is what violates one rule.
type findingView struct {
	registry.Violation // one of them
	Count              int
	Sets               []*set // by namespace
}

// violations are grouped by severity and rule.
func (f *filters) violations(p *actions.Plan) []*findingView {
	var out []*findingView
	for _, part := range outline.ViolationsByRule(p) {
		v := &findingView{Violation: part.First(), Count: len(part.Entries)}
		for _, of := range outline.GroupBy(part.Entries, func(v registry.Violation) string { return homeOf(v.Ref).String() }) {
			rows := make([]row, len(of.Entries))
			for i, found := range of.Entries {
				rows[i] = row{Name: found.Ref, Note: found.Text}
			}
			v.Sets = append(v.Sets, f.setOf(homeOf(of.First().Ref), "", "", []registry.Reason{v.Reason}).fill(rows))
		}
		out = append(out, v)
	}
	return out
}
