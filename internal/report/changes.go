package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

func (t *textReport) namespace(ns *namespaceGroup) {
	t.line(0)
	t.line(0, t.in(bold, clean(ns.ref.String())))
	t.object(&ns.own, 2)
	for _, image := range ns.images {
		t.line(2, t.in(bold, clean(image.ref.Image)), t.fate(image))
		t.object(image, 4)
	}
}

// fate says how much of an image goes, where its size is known.
func (t *textReport) fate(image *objectGroup) string {
	if t.plan.Stats == nil {
		return ""
	}
	stats, ok := t.plan.Stats.Images[image.ref.String()]
	if !ok {
		return ""
	}
	whole := "  " + text.Count(stats.Tags, "tag") + ", " + text.Size(stats.Bytes)
	if stats.Tags == 0 {
		return whole
	}
	return whole + ": " + text.Thousands(len(image.tags)) + " to delete, " + text.Thousands(stats.Tags-len(image.tags)) + " to stay"
}

func (t *textReport) object(o *objectGroup, indent int) {
	for _, s := range o.objects {
		t.objectStep(s, indent)
	}
	t.tags(o.tags, indent)
	t.held(o.held, indent)
}

func (t *textReport) objectStep(s actions.Step, indent int) {
	switch s.Action {
	case actions.DeleteImage:
		t.line(indent, t.in(red, "- delete the image"), ", unchanged for ", t.age(s))
	case actions.DeleteNamespace:
		t.line(indent, t.in(red, "- delete the namespace"), ", unchanged for ", t.age(s))
	default:
		t.line(indent, t.in(cyan, "~ visibility "+clean(string(s.From))+" → "+clean(string(s.To))))
	}
	t.reasons(s.Reasons, indent+2)
}

func (t *textReport) age(s actions.Step) string { return text.Age(t.plan.TakenAt.Sub(s.UpdatedAt)) }

func (t *textReport) reasons(reasons []registry.Reason, indent int) {
	for _, r := range reasons {
		t.line(indent, clean(r.Rule), ": ", clean(r.Text), clean(place(r.Source, r.CustomSeverity)))
	}
}

// tags writes the tags that go, newest first: those with the same reasons side
// by side, the others one a line under the rules that they share.
func (t *textReport) tags(steps []actions.Step, indent int) {
	if len(steps) == 0 {
		return
	}
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b actions.Step) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Tag, b.Tag))
	})
	exact, loose := byLikeness(steps,
		func(s actions.Step) string { return reasonsKey(s.Reasons) },
		func(s actions.Step) string { return rulesOf(s.Reasons) })
	for _, a := range exact {
		t.line(indent, t.in(red, "- delete "+text.Count(len(a.entries), "tag")))
		t.reasons(a.entries[0].Reasons, indent+2)
		cells := make([]cell, len(a.entries))
		for i, s := range a.entries {
			cells[i] = cell{s.Tag, t.age(s)}
		}
		t.columns(indent+4, cells)
	}
	for _, a := range loose {
		t.looseTags(a.entries, indent)
	}
}

func (t *textReport) looseTags(steps []actions.Step, indent int) {
	t.line(indent, t.in(red, "- delete "+text.Count(len(steps), "tag")))
	if len(steps) == 1 {
		t.reasons(steps[0].Reasons, indent+2)
		t.columns(indent+4, []cell{{steps[0].Tag, t.age(steps[0])}})
		return
	}
	t.line(indent+2, clean(rulesOf(steps[0].Reasons)))
	rows := make([][]string, len(steps))
	for i, s := range steps {
		rows[i] = []string{s.Tag, t.age(s), texts(s.Reasons)}
	}
	t.rows(indent+4, rows)
}

// held writes what is held: what the same guard holds for the same reasons
// together, the rest one a line under its guard.
func (t *textReport) held(entries []heldEntry, indent int) {
	exact, loose := byLikeness(entries,
		func(h heldEntry) string {
			return string(h.Action) + "\x00" + string(h.Guard) + "\x00" + h.Detail + "\x00" + reasonsKey(h.Reasons)
		},
		func(h heldEntry) string { return string(h.Guard) })
	for _, a := range exact {
		first := a.entries[0]
		t.line(indent, t.in(yellow, "= held "+text.Count(len(a.entries), "tag")+" by "+clean(string(first.Guard))), ": ", clean(first.Detail))
		t.reasons(first.Reasons, indent+2)
		cells := make([]cell, len(a.entries))
		for i, h := range a.entries {
			cells[i] = cell{name: heldName(h)}
		}
		t.columns(indent+4, cells)
	}
	for _, a := range loose {
		t.line(indent, t.in(yellow, "= held by "+clean(string(a.entries[0].Guard))))
		rows := make([][]string, len(a.entries))
		for i, h := range a.entries {
			rows[i] = []string{heldName(h), h.Detail, "[" + rulesOf(h.Reasons) + "]"}
		}
		t.rows(indent+2, rows)
	}
}

// heldName names what is held: a tag by its name, everything else by what would
// have become of it.
func heldName(h heldEntry) string {
	switch h.Action {
	case actions.DeleteTag:
		return h.tag
	case actions.DeleteImage:
		return "deletion of the image"
	case actions.DeleteNamespace:
		return "deletion of the namespace"
	default:
		return "change of visibility"
	}
}

func reasonsKey(reasons []registry.Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		b.WriteString(r.Rule)
		b.WriteByte(0)
		b.WriteString(r.Text)
		b.WriteByte(0)
		b.WriteString(r.Source)
		b.WriteByte(0)
	}
	return b.String()
}

// rulesOf names the rules once each.
func rulesOf(reasons []registry.Reason) string {
	var rules []string
	for _, r := range reasons {
		if rule := r.Rule + place(r.Source, r.CustomSeverity); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return strings.Join(rules, ", ")
}

func texts(reasons []registry.Reason) string {
	list := make([]string, len(reasons))
	for i, r := range reasons {
		list[i] = r.Text
	}
	return strings.Join(list, "; ")
}
