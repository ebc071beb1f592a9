package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// namespaces writes what the plan has for each namespace into a number of bytes.
// Each is named with its counts as long as that alone fits; details are written
// for the first ones until the room is used up.
func (m *runPage) namespaces(room int) string {
	groups := groupByNamespace(m.plan)
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
func (m *runPage) namedOnly(ns *namespaceGroup) string {
	return "<details><summary>" + m.fateOf(ns) + "</summary>\n\n_" + entries(entriesOf(ns)) + " left out_\n\n</details>\n"
}

func entriesOf(ns *namespaceGroup) int {
	n := len(ns.own.tags) + len(ns.own.objects) + len(ns.own.held)
	for _, image := range ns.images {
		n += len(image.tags) + len(image.objects) + len(image.held)
	}
	return n
}

// fateOf counts what becomes of a namespace.
func (m *runPage) fateOf(ns *namespaceGroup) string {
	var deletions, changes, held int
	for _, o := range append([]*objectGroup{&ns.own}, ns.images...) {
		deletions += len(o.tags)
		held += len(o.held)
		for _, s := range o.objects {
			if s.Action.Deletes() {
				deletions++
			} else {
				changes++
			}
		}
	}
	return name(ns.ref.String()) + ": " + listed(count{deletions, "to delete"}, count{changes, "to change"}, count{held, "held"})
}

// namespace writes one with as many rows as fit, and never less than its name.
func (m *runPage) namespace(ns *namespaceGroup, room int) string {
	const head, foot, note = "| what | why |\n|---|---|\n", "\n</details>\n", 60
	open := "<details><summary>" + m.fateOf(ns) + "</summary>\n\n"
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
func (m *runPage) rows(ns *namespaceGroup) []entry {
	rows := m.objectRows(&ns.own)
	for _, image := range ns.images {
		of := m.objectRows(image)
		// The name of an image is never the last thing that fits.
		of[0].line = "| **" + prose(image.ref.Image) + "**" + escape(m.words().fate(image)) + " | |\n" + of[0].line
		rows = append(rows, of...)
	}
	return rows
}

func row(n int, what, why string) entry { return entry{"| " + what + " | " + why + " |", n} }

func (m *runPage) objectRows(o *objectGroup) []entry {
	var rows []entry
	for _, s := range o.objects {
		rows = append(rows, row(1, m.objectWords(s), why(s.Reasons)))
	}
	return append(append(rows, m.tagRows(o.tags)...), heldRows(o.held)...)
}

func (m *runPage) objectWords(s actions.Step) string {
	switch s.Action {
	case actions.DeleteImage:
		return "delete the image, unchanged for " + m.words().age(s)
	case actions.DeleteNamespace:
		return "delete the namespace, unchanged for " + m.words().age(s)
	default:
		return "visibility " + prose(string(s.From)) + " → " + prose(string(s.To))
	}
}

// why words the reasons of a step, a few of them.
func why(reasons []registry.Reason) string {
	const most = 8
	var lines []string
	for i, r := range reasons {
		if i == most {
			lines = append(lines, "… and "+text.Count(len(reasons)-most, "more reason"))
			break
		}
		lines = append(lines, prose(r.Rule)+": "+prose(r.Text)+prose(place(r.Source, r.CustomSeverity)))
	}
	return strings.Join(lines, "<br>")
}

// tagRows are the tags that go, newest first: those with the same reasons side by
// side, the others each with its own text under the rules that they share.
func (m *runPage) tagRows(steps []actions.Step) []entry {
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b actions.Step) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Tag, b.Tag))
	})
	exact, loose := byLikeness(steps,
		func(s actions.Step) string { return reasonsKey(s.Reasons) },
		func(s actions.Step) string { return rulesOf(s.Reasons) })
	var rows []entry
	for _, a := range exact {
		rows = append(rows, rowsOf(a.entries, "delete "+text.Count(len(a.entries), "tag"), " ", why(a.entries[0].Reasons), m.tagCell)...)
	}
	for _, a := range loose {
		if len(a.entries) == 1 {
			rows = append(rows, rowsOf(a.entries, "delete 1 tag", " ", why(a.entries[0].Reasons), m.tagCell)...)
			continue
		}
		rows = append(rows, rowsOf(a.entries, "delete "+text.Count(len(a.entries), "tag"), "<br>", prose(rulesOf(a.entries[0].Reasons)),
			func(s actions.Step) string { return m.tagCell(s) + ": " + prose(texts(s.Reasons)) })...)
	}
	return rows
}

func (m *runPage) tagCell(s actions.Step) string { return name(s.Tag) + " " + m.words().age(s) }

// rowsOf lists like things in rows of a bounded number of them.
func rowsOf[T any](entries []T, what, between, why string, cell func(T) string) []entry {
	var rows []entry
	for some := range slices.Chunk(entries, alikeMax) {
		cells := make([]string, len(some))
		for i, e := range some {
			cells[i] = cell(e)
		}
		rows = append(rows, row(len(some), what+"<br>"+strings.Join(cells, between), why))
	}
	return rows
}

// heldRows are what is held: what the same guard holds for the same reasons
// together, the rest each with its own text under its guard.
func heldRows(entries []heldEntry) []entry {
	exact, loose := byLikeness(entries,
		func(h heldEntry) string {
			return string(h.Action) + "\x00" + string(h.Guard) + "\x00" + h.Detail + "\x00" + reasonsKey(h.Reasons)
		},
		func(h heldEntry) string { return string(h.Guard) })
	var rows []entry
	for _, a := range exact {
		first := a.entries[0]
		what := "held by " + name(string(first.Guard)) + ": " + prose(first.Detail)
		rows = append(rows, rowsOf(a.entries, what, " ", why(first.Reasons), heldCell)...)
	}
	for _, a := range loose {
		for _, h := range a.entries {
			rows = append(rows, row(1, "held by "+name(string(h.Guard))+"<br>"+heldCell(h)+" "+prose(h.Detail), prose(rulesOf(h.Reasons))))
		}
	}
	return rows
}

func heldCell(h heldEntry) string {
	if h.Action == actions.DeleteTag {
		return name(h.tag)
	}
	return heldName(h)
}
