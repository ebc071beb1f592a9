package report

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// namespaces writes what the plan has for each namespace into a number of bytes.
// Each is named with its counts as long as that alone fits; details are written
// for the first ones until the room is used up.
func (m *runPage) namespaces(room int) string {
	groups := outline.Of(m.plan)
	if len(groups) == 0 {
		return ""
	}
	const title, rest = "\n#### By namespace\n\n", 120
	room -= len(title) + rest
	var named int // bytes that naming all of those takes that can be named
	shown := 0
	for _, ns := range groups {
		if n := len(m.namedOnly(ns)); named+n <= room {
			named += n
			shown++
			continue
		}
		break
	}
	var b strings.Builder
	b.WriteString(title)
	for _, ns := range groups[:shown] {
		named -= len(m.namedOnly(ns))
		b.WriteString(m.namespace(ns, room-b.Len()+len(title)-named))
	}
	if left := groups[shown:]; len(left) > 0 {
		n := 0
		for _, ns := range left {
			n += entriesOf(ns)
		}
		m.namespacesCut += len(left)
		m.entriesCut += n
		b.WriteString("- … and " + text.Count(len(left), "more namespace") + ", with " + entries(n) + "\n")
	}
	return b.String()
}

// namedOnly is a namespace without its details.
func (m *runPage) namedOnly(ns *outline.Namespace) string {
	return "<details><summary>" + totalsOf(ns) + "</summary>\n\n_" + entries(entriesOf(ns)) + " left out_\n\n</details>\n"
}

func entriesOf(ns *outline.Namespace) int {
	n := 0
	for _, o := range ns.Objects() {
		n += o.Count()
	}
	return n
}

// totalsOf counts what is done in a namespace.
func totalsOf(ns *outline.Namespace) string {
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
	return name(ns.Ref.String()) + ": " + outline.Join(outline.As(deletions, "to delete"), outline.As(changes, "to change"), outline.As(held, "held"))
}

// namespace writes one with as many rows as fit, and never less than its name.
func (m *runPage) namespace(ns *outline.Namespace, room int) string {
	const head, foot, note = "| what | why |\n|---|---|\n", "\n</details>\n", 60
	open := "<details><summary>" + totalsOf(ns) + "</summary>\n\n"
	room -= len(open) + len(head) + len(foot) + note
	rows := m.rows(ns)
	if len(rows) > 0 && len(rows[0].line)+1 > room {
		m.entriesCut += entriesOf(ns)
		return m.namedOnly(ns)
	}
	var b strings.Builder
	b.WriteString(open + head)
	for i, r := range rows {
		if len(r.line)+1 > room {
			left := 0
			for _, rest := range rows[i:] {
				left += rest.n
			}
			m.entriesCut += left
			b.WriteString("| … and " + text.Thousands(left) + " more | |\n")
			break
		}
		room -= len(r.line) + 1
		b.WriteString(r.line + "\n")
	}
	return b.String() + foot
}

// rows are the lines of the table of a namespace.
func (m *runPage) rows(ns *outline.Namespace) []entry {
	rows := m.objectRows(&ns.Own)
	for _, image := range ns.Images {
		of := m.objectRows(image)
		// The name of an image is never the last thing that fits.
		of[0].line = "| **" + prose(image.Ref.Image) + "**" + escape(fateOf(m.plan, image)) + " | |\n" + of[0].line
		rows = append(rows, of...)
	}
	return rows
}

func row(n int, what, why string) entry { return entry{"| " + what + " | " + why + " |", n} }

func (m *runPage) objectRows(o *outline.Object) []entry {
	var rows []entry
	for _, s := range o.Steps {
		rows = append(rows, row(1, m.objectWords(s), why(s.Reasons)))
	}
	for _, a := range o.AlikeTags() {
		rows = append(rows, m.tagRows(a)...)
	}
	for _, a := range o.AlikeHeld() {
		rows = append(rows, heldRows(a)...)
	}
	return rows
}

func (m *runPage) objectWords(s actions.Step) string {
	switch s.Action {
	case actions.DeleteImage:
		return "delete the image, unchanged for " + ageOf(m.plan, s)
	case actions.DeleteNamespace:
		return "delete the namespace, unchanged for " + ageOf(m.plan, s)
	default:
		return "visibility " + prose(string(s.From)) + " → " + prose(string(s.To))
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
