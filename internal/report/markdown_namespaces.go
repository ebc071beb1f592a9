package report

import (
	"math"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// namespaces writes what the plan has for each namespace into a number of bytes. If
// not everything fits, each namespace first has a row for each of its rules, and then
// details are written for the first ones until the room is used up.
func (m *runPage) namespaces(room int) string {
	groups := outline.Of(m.plan)
	if len(groups) == 0 {
		return ""
	}
	const title, rest = "\n#### By namespace\n\n", 160
	room -= len(title) + rest
	if all, ok := m.allOf(groups, room); ok {
		return title + all
	}
	var b strings.Builder
	b.WriteString("| namespace and rule | what it does |\n|---|---|\n")
	shown := 0
	for _, ns := range groups {
		rows := m.byRule(ns)
		if b.Len()+len(rows) > room {
			break
		}
		b.WriteString(rows)
		shown++
	}
	b.WriteByte('\n')
	left := 0
	for _, ns := range groups[:shown] {
		details := m.namespace(ns, room-b.Len())
		if details == "" {
			left += countOf(ns)
		}
		b.WriteString(details)
	}
	if left > 0 {
		m.entriesCut += left
		b.WriteString("\n_" + entries(left) + " left out_\n")
	}
	return title + b.String() + m.otherNamespaces(groups[shown:])
}

// allOf writes everything if it fits.
func (m *runPage) allOf(groups []*outline.Namespace, room int) (string, bool) {
	var b strings.Builder
	for _, ns := range groups {
		b.WriteString(m.namespace(ns, math.MaxInt))
		if b.Len() > room {
			return "", false
		}
	}
	return b.String(), true
}

// otherNamespaces counts those that are not even named.
func (m *runPage) otherNamespaces(groups []*outline.Namespace) string {
	if len(groups) == 0 {
		return ""
	}
	n := 0
	for _, ns := range groups {
		n += countOf(ns)
	}
	m.namespacesCut += len(groups)
	m.entriesCut += n
	return "\n- … and " + text.Count(len(groups), "more namespace") + ", with " + entries(n) + "\n"
}

// byRule writes a row for each rule that does something in a namespace.
func (m *runPage) byRule(ns *outline.Namespace) string {
	var steps []actions.Step
	var held []actions.Held
	for _, o := range ns.Objects() {
		steps = append(append(steps, o.Tags...), o.Steps...)
		for _, h := range o.Held {
			held = append(held, h.Held)
		}
	}
	var b strings.Builder
	for _, t := range outline.ByRule(steps, held, m.plan.Stats) {
		b.WriteString(row(0, name(ns.Ref.String())+" "+prose(t.Rule), escape(describeTotal(m.plan, t))).line + "\n")
	}
	return b.String()
}

// describeTotal is what a rule does: "60 tags in 2 images, 15d to 74d old, 3 held".
func describeTotal(p *actions.Plan, t outline.RuleTotal) string {
	on := outline.Join(outline.Things(t.Namespaces, "namespace"), outline.Things(t.Images, "image"))
	if t.Tags > 0 {
		on = text.Count(t.Tags, "tag") + " in " + text.Count(t.Images, "image")
	}
	age := ""
	if !t.Oldest.IsZero() {
		age = text.Age(p.TakenAt.Sub(t.Newest)) + " to " + text.Age(p.TakenAt.Sub(t.Oldest)) + " old"
	}
	return outline.Join(on, age, outline.As(t.Held, "held"))
}

func countOf(ns *outline.Namespace) int {
	n := 0
	for _, o := range ns.Objects() {
		n += o.Count()
	}
	return n
}

// totalsOf counts what is done in a namespace.
func (m *runPage) totalsOf(ns *outline.Namespace) string {
	var deletions, changes, held int
	for _, o := range ns.Objects() {
		deletions += len(o.Tags)
		held += len(o.Held)
		for _, s := range o.Steps {
			if s.Action.Deletes() {
				deletions++
			} else {
				changes++
			}
		}
	}
	freed := ""
	if words := outline.Freed(outline.FreedIn(m.plan, ns.Ref), m.run.Price); words != "" {
		freed = escape("frees " + words)
	}
	return name(ns.Ref.String()) + ": " + outline.Join(outline.As(deletions, "to delete"), outline.As(changes, "to change"), outline.As(held, "held"), freed)
}

// namespace writes one with as many rows as fit; "" if none does.
func (m *runPage) namespace(ns *outline.Namespace, room int) string {
	const head, foot, note = "| what | why |\n|---|---|\n", "\n</details>\n", 60
	open := "<details><summary>" + m.totalsOf(ns) + "</summary>\n\n"
	room -= len(open) + len(head) + len(foot) + note
	rows := m.rows(ns)
	if len(rows) > 0 && len(rows[0].line)+1 > room {
		return ""
	}
	return open + head + m.fill(rows, room, "| ", " | |") + foot
}

// rows are the lines of the table of a namespace.
func (m *runPage) rows(ns *outline.Namespace) []entry {
	rows := m.objectRows(&ns.Own)
	for _, image := range ns.Images {
		of := m.objectRows(image)
		// The name of an image is never the last thing that fits.
		of[0].line = "| **" + prose(image.Ref.Image) + "**" + escape(describeDeleted(&m.run, image)) + " | |\n" + of[0].line
		rows = append(rows, of...)
	}
	return rows
}

func row(n int, what, why string) entry { return entry{"| " + what + " | " + why + " |", n} }

func (m *runPage) objectRows(o *outline.Object) []entry {
	var rows []entry
	for _, s := range o.Steps {
		rows = append(rows, row(1, m.describeObject(s), why(s.Reasons)))
	}
	for _, a := range o.AlikeTags() {
		rows = append(rows, m.tagRows(a)...)
	}
	for _, a := range o.AlikeHeld() {
		rows = append(rows, heldRows(a)...)
	}
	return rows
}

func (m *runPage) describeObject(s actions.Step) string {
	switch s.Action {
	case actions.DeleteImage:
		return "delete the image, unchanged for " + ageOf(m.plan, s)
	case actions.DeleteNamespace:
		return "delete the namespace, unchanged for " + ageOf(m.plan, s)
	default:
		return joined("; ", "visibility "+prose(string(s.From))+" → "+prose(string(s.To)), escape(outline.Billing(m.plan, &s, m.run.Price)))
	}
}

// why lists some of the reasons of a step.
func why(reasons []registry.Reason) string {
	const most = 8
	var lines []string
	for i, r := range reasons {
		if i == most {
			lines = append(lines, "… and "+text.Count(len(reasons)-most, "more reason"))
			break
		}
		lines = append(lines, prose(r.Rule)+": "+prose(r.Text)+prose(outline.Place(r)))
	}
	return strings.Join(lines, "<br>")
}

// tagRows are tags to delete: those with the same reasons side by side, the others
// each with its own text under the rules that they share.
func (m *runPage) tagRows(a outline.Alike[actions.Step]) []entry {
	what := "delete " + text.Count(len(a.Entries), "tag")
	cell := func(s actions.Step) string { return name(s.Tag) + " " + ageOf(m.plan, s) }
	if a.Differ {
		return rowsOf(a.Entries, what, "<br>", prose(outline.RulesOf(a.First().Reasons)),
			func(s actions.Step) string { return cell(s) + ": " + prose(outline.Texts(s.Reasons)) })
	}
	return rowsOf(a.Entries, what, " ", why(a.First().Reasons), cell)
}

// rowsOf lists things of the same kind in rows of a bounded number.
func rowsOf[T any](entries []T, what, between, why string, cell func(T) string) []entry {
	var rows []entry
	for some := range slices.Chunk(entries, alikeMax) {
		rows = append(rows, row(len(some), what+"<br>"+outline.Each(some, between, cell), why))
	}
	return rows
}

// heldRows are what one guard holds: what has the same reasons side by side, the
// rest each with its own text.
func heldRows(a outline.Alike[outline.Held]) []entry {
	first := a.First()
	what := "held by " + name(string(first.Guard))
	if len(a.Entries) > 1 && !a.Differ {
		return rowsOf(a.Entries, what+": "+prose(first.Detail), " ", why(first.Reasons), heldCell)
	}
	var rows []entry
	for _, h := range a.Entries {
		rows = append(rows, row(1, what+"<br>"+heldCell(h)+" "+prose(h.Detail), prose(outline.RulesOf(h.Reasons))))
	}
	return rows
}

func heldCell(h outline.Held) string {
	if h.Action == actions.DeleteTag {
		return name(h.Tag)
	}
	return h.Name()
}
