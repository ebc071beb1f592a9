package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// markdownMax is the length, in bytes, beyond which details are cut: what a
// comment on a pull request may have, with room for what is put around it.
const markdownMax = 60_000

// compareMarkdown writes the comparison for a comment on a pull request: a table
// of numbers that is always whole, and details that fold and are cut with a
// count where they do not fit.
func compareMarkdown(w io.Writer, c *diff.Comparison) error {
	m := &markdown{room: markdownMax - 1000}
	m.compareHead(c)
	for _, only := range sectionOrder() {
		m.section(c, only)
	}
	m.violations(c)
	if m.cut > 0 {
		m.b.WriteString(fmt.Sprintf("\n_… and %s more: too long for a comment. `--format json` has all of it._\n", text.Thousands(m.cut)))
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

// markdown is a document of bounded length.
type markdown struct {
	b    strings.Builder
	room int // what may be written in total
	cut  int // rows that did not fit
}

func (m *markdown) line(pieces ...string) {
	for _, p := range pieces {
		m.b.WriteString(p)
	}
	m.b.WriteByte('\n')
}

// row writes a line of details if it fits. Once one did not, none is written, so
// that what is missing is the end.
func (m *markdown) row(entries int, pieces ...string) {
	n := 1
	for _, p := range pieces {
		n += len(p)
	}
	if m.cut > 0 || m.b.Len()+n > m.room {
		m.cut += entries
		return
	}
	m.line(pieces...)
}

func (m *markdown) compareHead(c *diff.Comparison) {
	m.line("### What the policies would do: before and after")
	m.line()
	m.line("**Before:** ", code(c.Before.Name), " · **After:** ", code(c.After.Name), " · judged for ", outline.Moment(c.After.TakenAt))
	m.line()
	m.line("**", escape(verdictOf(c)), "**")
	for _, note := range c.Notes {
		m.line()
		m.line("> ", escape(note))
	}
	for _, s := range []diff.Plan{c.Before, c.After} {
		if s.Refused || s.Incomplete {
			m.line()
			m.line("> **", code(s.Name), "**: ", escape(sideFacts(s)))
		}
	}
	m.line()
	m.line("| | before | after | only before | only after |")
	m.line("|---|---:|---:|---:|---:|")
	b, a, ob, oa := c.Before.Summary, c.After.Summary, c.Summary.OnlyBefore, c.Summary.OnlyAfter
	for _, r := range []struct {
		what string
		n    [4]int
	}{
		{"tags to delete", [4]int{b.DeleteTags, a.DeleteTags, ob.DeleteTags, oa.DeleteTags}},
		{"images to delete", [4]int{b.DeleteImages, a.DeleteImages, ob.DeleteImages, oa.DeleteImages}},
		{"namespaces to delete", [4]int{b.DeleteNamespaces, a.DeleteNamespaces, ob.DeleteNamespaces, oa.DeleteNamespaces}},
		{"visibility changes", [4]int{b.SetVisibility, a.SetVisibility, ob.SetVisibility, oa.SetVisibility}},
		{"deny violations", [4]int{b.Deny, a.Deny, ob.Deny, oa.Deny}},
		{"warn violations", [4]int{b.Warn, a.Warn, ob.Warn, oa.Warn}},
	} {
		m.line("| ", r.what, " | ", text.Thousands(r.n[0]), " | ", text.Thousands(r.n[1]), " | ", text.Thousands(r.n[2]), " | ", text.Thousands(r.n[3]), " |")
	}
	m.byRule(c)
}

func (m *markdown) byRule(c *diff.Comparison) {
	if len(c.Rules) == 0 {
		return
	}
	m.row(0)
	m.row(0, "| rule | only before | only after |")
	m.row(0, "|---|---:|---:|")
	for _, r := range c.Rules {
		m.row(1, "| ", escape(r.Rule), " | ", text.Thousands(r.OnlyBefore), " | ", text.Thousands(r.OnlyAfter), " |")
	}
}

func (m *markdown) section(c *diff.Comparison, only diff.Side) {
	groups := changesOf(c, only)
	if len(groups) == 0 {
		return
	}
	m.fold(escape(sectionTitle(c, only)), func() {
		m.row(0, "| what | why | on the other side |")
		m.row(0, "|---|---|---|")
		for _, g := range groups {
			for _, a := range outline.GroupBy(g.Entries, likeness) {
				m.alike(a.Entries, only)
			}
		}
	})
}

// alikeMax is how many names one row of the table takes.
const alikeMax = 50

func (m *markdown) alike(changes []diff.Change, only diff.Side) {
	first := changes[0]
	step, other := sides(first)
	why, others := reasonLines(step.Reasons), escape(positionWords(first.Action, other))
	if only == diff.Both {
		why, others = escape("after: "+positionWords(first.Action, first.After)), escape("before: "+positionWords(first.Action, first.Before))
	}
	for some := range slices.Chunk(changes, alikeMax) {
		what := strings.TrimLeft(actionWords(first, len(some)), "-~ ")
		names := code(objectOf(first).String())
		if first.Action == actions.DeleteTag {
			what += " of"
			tags := make([]string, len(some))
			for i, c := range some {
				tags[i] = code(tagOf(c.Ref))
			}
			names += "<br>" + strings.Join(tags, " ")
		} else {
			what += ":"
		}
		m.row(len(some), "| ", escape(what), " ", names, " | ", why, " | ", others, " |")
	}
}

func reasonLines(reasons []registry.Reason) string {
	lines := make([]string, len(reasons))
	for i, r := range reasons {
		lines[i] = escape(r.Rule + ": " + r.Text)
	}
	return strings.Join(lines, "<br>")
}

func (m *markdown) violations(c *diff.Comparison) {
	if len(c.Found) == 0 {
		return
	}
	m.fold("Violations that only one side reports: "+text.Thousands(len(c.Found)), func() {
		m.row(0, "| only | | what | why |")
		m.row(0, "|---|---|---|---|")
		for _, v := range c.Found {
			m.row(1, "| ", string(v.Only), " | ", string(v.Severity), " | ", code(v.Ref), " | ", escape(v.Rule+": "+v.Text), " |")
		}
	})
}

// fold puts details under a line that opens them. The closing line is always
// written where the opening one is.
func (m *markdown) fold(title string, details func()) {
	m.line()
	m.line("<details><summary>", title, "</summary>")
	m.line()
	details()
	m.line()
	m.line("</details>")
}
