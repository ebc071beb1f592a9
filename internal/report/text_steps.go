package report

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

func (t *textReport) namespace(ns *outline.Namespace) {
	t.line(0)
	t.line(0, t.in(bold, ns.Ref.String()))
	t.object(&ns.Own, 2)
	for _, image := range ns.Images {
		t.line(2, t.in(bold, image.Ref.Image), fateOf(t.plan, image))
		t.object(image, 4)
	}
}

// fateOf is how much of an image is deleted, if its size is known.
func fateOf(p *actions.Plan, image *outline.Object) string {
	if p.Stats == nil {
		return ""
	}
	stats, ok := p.Stats.Images[image.Ref.String()]
	if !ok {
		return ""
	}
	whole := "  " + text.Count(stats.Tags, "tag") + ", " + text.Size(stats.Bytes)
	if stats.Tags == 0 {
		return whole
	}
	return whole + ": " + text.Thousands(len(image.Tags)) + " to delete, " + text.Thousands(stats.Tags-len(image.Tags)) + " kept"
}

func (t *textReport) object(o *outline.Object, indent int) {
	for _, s := range o.Steps {
		t.objectStep(s, indent)
	}
	for _, a := range o.AlikeTags() {
		t.tags(a, indent)
	}
	for _, a := range heldTogether(o) {
		t.held(a, indent)
	}
}

// heldTogether groups what is held of an object by what holds it.
func heldTogether(o *outline.Object) []outline.Alike[outline.Held] {
	return outline.AlikeHeld(o.Held, func(h outline.Held) string { return string(h.Guard) })
}

func (t *textReport) objectStep(s actions.Step, indent int) {
	switch s.Action {
	case actions.DeleteImage:
		t.line(indent, t.in(red, "- delete the image"), ", unchanged for ", ageOf(t.plan, s))
	case actions.DeleteNamespace:
		t.line(indent, t.in(red, "- delete the namespace"), ", unchanged for ", ageOf(t.plan, s))
	default:
		t.line(indent, t.in(cyan, "~ visibility "+string(s.From)+" → "+string(s.To)))
	}
	t.reasons(s.Reasons, indent+2)
}

// ageOf is how long ago the object of a step changed.
func ageOf(p *actions.Plan, s actions.Step) string { return text.Age(p.TakenAt.Sub(s.UpdatedAt)) }

func (t *textReport) reasons(reasons []registry.Reason, indent int) {
	for _, r := range reasons {
		t.line(indent, reasonLine(r))
	}
}

func reasonLine(r registry.Reason) string {
	return r.Rule + ": " + r.Text + outline.Place(r)
}

// tags writes tags to delete: those with the same reasons side by side, the others
// one a line under the rules that they share.
func (t *textReport) tags(a outline.Alike[actions.Step], indent int) {
	t.line(indent, t.in(red, "- delete "+text.Count(len(a.Entries), "tag")))
	if a.Differ {
		t.line(indent+2, outline.RulesOf(a.First().Reasons))
		rows := make([][]string, len(a.Entries))
		for i, s := range a.Entries {
			rows[i] = []string{s.Tag, ageOf(t.plan, s), outline.Texts(s.Reasons)}
		}
		t.rows(indent+4, rows)
		return
	}
	t.reasons(a.First().Reasons, indent+2)
	cells := make([]cell, len(a.Entries))
	for i, s := range a.Entries {
		cells[i] = cell{s.Tag, ageOf(t.plan, s)}
	}
	t.columns(indent+4, cells)
}

// held writes what one guard holds: what has the same reasons side by side, the
// rest one a line.
func (t *textReport) held(a outline.Alike[outline.Held], indent int) {
	first := a.First()
	if len(a.Entries) == 1 || a.Differ {
		t.line(indent, t.in(yellow, "= held by "+string(first.Guard)))
		rows := make([][]string, len(a.Entries))
		for i, h := range a.Entries {
			rows[i] = []string{h.Name(), h.Detail, "[" + outline.RulesOf(h.Reasons) + "]"}
		}
		t.rows(indent+2, rows)
		return
	}
	t.line(indent, t.in(yellow, "= "+text.Count(len(a.Entries), "tag")+" held by "+string(first.Guard)), ": ", first.Detail)
	t.reasons(first.Reasons, indent+2)
	cells := make([]cell, len(a.Entries))
	for i, h := range a.Entries {
		cells[i] = cell{name: h.Name()}
	}
	t.columns(indent+4, cells)
}
