package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// applyGaps holds every deletion that the unread data could have prevented. An
// attachment that only follows its subject has nothing to follow once the subject
// is held.
func (b *Builder) applyGaps() {
	if len(b.gaps) == 0 {
		return
	}
	g := newGapIndex(b.gaps)
	for i := range b.asked.held {
		h := &b.asked.held[i]
		if detail := g.holding(h.Action, h.Ref); detail != "" {
			h.Guard, h.Detail = actions.GuardGap, detail
		}
	}
	b.asked.steps = slices.DeleteFunc(b.asked.steps, func(s actions.Step) bool {
		detail := g.holding(s.Action, s.Ref)
		if detail != "" {
			b.asked.holdStep(&s, actions.GuardGap, detail)
		}
		return detail != ""
	})
	b.followers.steps = slices.DeleteFunc(b.followers.steps, func(s actions.Step) bool { return g.holding(s.Action, s.Ref) != "" })
	b.followers.held = slices.DeleteFunc(b.followers.held, func(h actions.Held) bool { return g.holding(h.Action, h.Ref) != "" })
}

// gapIndex finds the gap that holds a deletion.
type gapIndex struct {
	wide     []wideGap         // at most one of each kind and region
	subjects map[string]string // what the gaps say of one namespace or image
}

// wideGap is a gap that holds more than its subject.
type wideGap struct {
	prefix         string // of the references that it covers
	onlyNamespaces bool
	detail         string
}

func newGapIndex(gaps []registry.Gap) *gapIndex {
	index := &gapIndex{subjects: make(map[string]string)}
	for _, g := range slices.SortedFunc(slices.Values(gaps), compareGaps) {
		detail := "what could not be read might prevent it: " + strings.TrimPrefix(g.Subject+": "+g.Error, ": ")
		if _, ok := index.subjects[g.Subject]; !ok {
			index.subjects[g.Subject] = detail
		}
		if g.Holds == registry.HoldsItself {
			continue
		}
		wide := wideGap{onlyNamespaces: g.Holds == registry.HoldsNamespaces, detail: detail}
		if g.Region != "" {
			wide.prefix = registry.Ref{Region: g.Region}.String() + "/"
		}
		if !slices.ContainsFunc(index.wide, func(w wideGap) bool {
			return w.prefix == wide.prefix && w.onlyNamespaces == wide.onlyNamespaces
		}) {
			index.wide = append(index.wide, wide)
		}
	}
	return index
}

func compareGaps(x, y registry.Gap) int {
	return cmp.Or(cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Error, y.Error),
		cmp.Compare(x.Holds, y.Holds), cmp.Compare(x.Region, y.Region))
}

// holding returns why a gap holds a deletion, and "" if none does.
func (x *gapIndex) holding(a actions.Action, ref string) string {
	if !a.Deletes() {
		return ""
	}
	for _, w := range x.wide {
		if strings.HasPrefix(ref, w.prefix) && (!w.onlyNamespaces || a == actions.DeleteNamespace) {
			return w.detail
		}
	}
	if a == actions.DeleteTag {
		ref = ref[:strings.LastIndexByte(ref, ':')]
	}
	return x.subjects[ref]
}
