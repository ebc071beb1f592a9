package page

import (
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// keptView is what is kept, so that a search for a tag that is kept finds the rule.
type keptView struct {
	Count   int
	Listed  bool // what is kept was asked for, and is not too much for a page
	Most    int  // tags that a registry may have for that
	Objects []*heldView
}

// MostKept is how many tags a registry may have for a page to list those that are kept.
const MostKept = 5000

// kept is every tag that is kept, by image.
func (f *filters) kept(p *actions.Plan) *keptView {
	v := &keptView{Most: MostKept, Count: max(0, p.Summary.Tags-p.Summary.DeleteTags-heldTags(p))}
	if p.Stats == nil || p.Stats.Kept == nil {
		return v
	}
	v.Listed, v.Count = true, 0
	images := make(map[registry.Ref][]actions.KeptTag, len(p.Stats.Kept))
	for name, tags := range p.Stats.Kept {
		images[outline.Parse(name)] = tags
		v.Count += len(tags)
	}
	for _, ref := range slices.SortedFunc(maps.Keys(images), outline.Compare) {
		v.Objects = append(v.Objects, f.keptObject(ref, images[ref]))
	}
	return v
}

// heldTags counts the held deletions of tags.
func heldTags(p *actions.Plan) int {
	n := 0
	for i := range p.Held {
		if p.Held[i].Action == actions.DeleteTag {
			n++
		}
	}
	return n
}

func (f *filters) keptObject(ref registry.Ref, tags []actions.KeptTag) *heldView {
	v := &heldView{Ref: ref, Name: objectName(ref), Count: len(tags)}
	for _, a := range outline.GroupBy(tags, func(t actions.KeptTag) string {
		return outline.ReasonsKey(t.Reasons) + "\x00" + strings.Join(t.InUse, "\x00")
	}) {
		first := a.First()
		s := f.setOf(ref, "", "", first.Reasons)
		s.Sign, s.Title = "kept", keptTitle(first, len(a.Entries))
		rows := make([]row, len(a.Entries))
		for i, t := range a.Entries {
			rows[i].Name = t.Name
		}
		v.Sets = append(v.Sets, s.fill(rows))
	}
	return v
}

// keptTitle is why tags are kept, as far as no rule keeps them: the rules follow it.
func keptTitle(t actions.KeptTag, n int) string {
	title, used := text.Count(n, "tag")+" kept", text.List(t.InUse, "and")
	switch {
	case len(t.Reasons) > 0 && used != "":
		return text.Count(n, "tag") + " used by " + used + ", and kept by"
	case len(t.Reasons) > 0:
		return title + " by"
	case used != "":
		return title + ": used by " + used
	}
	return title + ": no rule marks " + text.Choose(n, "it", "them")
}
