package report

import (
	"io"
	"slices"
	"strings"
	"text/template"

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
func compareMarkdown(w io.Writer, c *diff.Comparison, o TextOptions) error {
	var m comment
	err := TextOptions{}.execute(&m, "compare.md", c, template.FuncMap{
		"code":     code,
		"escape":   escape,
		"n":        text.Thousands,
		"verdict":  verdictOf,
		"facts":    func(s diff.Plan) string { return o.planFacts(s, c.Zone) },
		"moment":   momentIn(c.Zone),
		"sides":    func(c *diff.Comparison) []diff.Plan { return []diff.Plan{c.Before, c.After} },
		"sections": differencesOf,
		"alike":    alikeChanges,
		"row":      m.row,
		"changes":  m.changes,
		"freed":    func(f actions.Frees) string { return escape(o.freed(&f)) },
		"known":    freesKnown,
		"ruleFrees": func(r diff.ByRule) string {
			return escape(o.freed(r.Before)) + " | " + escape(o.freed(r.After))
		},
		"left": func() int { return m.left },
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, m.String())
	return err
}

// comment is a document of bounded length.
type comment struct {
	strings.Builder
	left int // rows that did not fit
}

// row writes a line of details if it fits. Once one did not, none is written, so
// that what is missing is the end. It returns "", because a template calls it.
func (m *comment) row(entries int, line string) string {
	const end = 1000 // for what is written after the last row
	if m.left > 0 || m.Len()+len(line)+1 > markdownMax-end {
		m.left += entries
		return ""
	}
	m.Builder.WriteString("\n" + line)
	return ""
}

// alikeMax is how many names one row of a table takes.
const alikeMax = 50

// changes writes the rows of changes of one object that only differ in the tag.
func (m *comment) changes(all []diff.Change) string {
	first := all[0]
	why := outline.Each(positionWithStep(first).Reasons, "<br>", func(r registry.Reason) string { return escape(r.Rule + ": " + r.Text) })
	others := describePosition(first.Action, otherPosition(first))
	if first.Only == diff.Both {
		why, others = escape("after: "+describePosition(first.Action, first.After)), "before: "+describePosition(first.Action, first.Before)
	}
	for some := range slices.Chunk(all, alikeMax) {
		what := escape(strings.TrimLeft(describeActions(first, len(some)), "-~ ")) + ": "
		names := code(objectOf(first).String())
		if first.Action == actions.DeleteTag {
			what = strings.TrimSuffix(what, ": ") + " of "
			names += "<br>" + outline.Each(some, " ", func(c diff.Change) string { return code(tagOf(c.Ref)) })
		}
		m.row(len(some), "| "+what+names+" | "+why+" | "+escape(others)+" |")
	}
	return ""
}
