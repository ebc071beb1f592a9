package report

import (
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// CompareFormats lists the formats that Compare knows.
func CompareFormats() []Format { return []Format{FormatText, FormatJSON, FormatMarkdown} }

// Compare renders a comparison. The options matter to the text alone.
func Compare(w io.Writer, f Format, c *diff.Comparison, o TextOptions) error {
	switch f {
	case FormatText:
		return compareText(w, outline.Clean(c), o)
	case FormatJSON:
		return c.Encode(w)
	case FormatMarkdown:
		return compareMarkdown(w, outline.Clean(c))
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, CompareFormats())
	}
}

func compareText(w io.Writer, c *diff.Comparison, o TextOptions) error {
	t := &comparison{printer: newPrinter(w, o), c: c}
	t.head()
	for _, only := range sectionOrder() {
		t.section(only)
	}
	t.violations()
	t.line(0)
	t.line(0, t.in(bold, verdictOf(c)))
	return t.w.Flush()
}

// comparison writes one as text.
type comparison struct {
	*printer
	c *diff.Comparison
}

// sectionOrder is the order in which differences are listed.
func sectionOrder() []diff.Side {
	return []diff.Side{diff.After, diff.Before, diff.Both}
}

func (t *comparison) head() {
	c := t.c
	t.line(0, t.in(bold, "Comparison"), " of what two policy sets would do")
	for _, side := range []struct {
		word string
		diff.Plan
	}{{"before", c.Before}, {"after ", c.After}} {
		t.line(2, side.word, "  ", t.in(bold, side.Name), ": ", sideFacts(side.Plan))
	}
	for _, note := range c.Notes {
		t.line(0)
		t.line(0, t.in(yellow, note))
	}
	if len(c.Rules) == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, "Steps that only one side has, by rule"))
	rows := [][]string{{"before", "after", "rule"}}
	for _, r := range c.Rules {
		rows = append(rows, []string{text.Thousands(r.OnlyBefore), text.Thousands(r.OnlyAfter), r.Rule})
	}
	t.rows(2, rows)
}

// sideFacts sums up the plan of one side.
func sideFacts(s diff.Plan) string {
	out := outline.Moment(s.TakenAt)
	if s.Forecast {
		out += " (forecast)"
	}
	out += ", " + outline.Join(outline.Planned(s.Summary), rest(s.Summary))
	if s.Refused {
		out += "; REFUSED by a limit"
	}
	if s.Incomplete {
		out += "; INCOMPLETE"
	}
	return out
}

// section lists the steps of one side only, image by image.
func (t *comparison) section(only diff.Side) {
	groups := changesOf(t.c, only)
	if len(groups) == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, sectionTitle(t.c, only)))
	for _, g := range groups {
		t.line(2, t.in(bold, objectOf(g.First()).String()))
		for _, a := range outline.GroupBy(g.Entries, likeness) {
			t.alike(a.Entries, only)
		}
	}
}

// alike are changes of one object for the same reasons.
func (t *comparison) alike(changes []diff.Change, only diff.Side) {
	first := changes[0]
	if only == diff.Both {
		t.line(4, t.in(cyan, "~ visibility"), ": ", positionWords(first.Action, first.Before), " before, ", positionWords(first.Action, first.After), " after")
		t.reasons("before", first.Before)
		t.reasons("after", first.After)
		return
	}
	step, other := sides(first)
	t.line(4, t.in(red, actionWords(first, len(changes))))
	for _, r := range step.Reasons {
		t.line(6, reasonLine(r))
	}
	if first.Action == actions.DeleteTag {
		cells := make([]cell, len(changes))
		for i, c := range changes {
			cells[i] = cell{name: tagOf(c.Ref)}
		}
		t.columns(8, cells)
	}
	t.line(6, t.in(yellow, otherSide(only)+": "), positionWords(first.Action, other))
	t.reasons("", other)
}

func (t *comparison) reasons(word string, s diff.Position) {
	if word != "" {
		word += ": "
	}
	if s.State == diff.StateHeld {
		return // the guard is the reason
	}
	for _, r := range s.Reasons {
		t.line(8, word, reasonLine(r))
	}
}

func (t *comparison) violations() {
	if len(t.c.Found) == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, "Violations that only one side reports"))
	for _, v := range t.c.Found {
		t.line(2, "only ", string(v.Only), ": ", t.in(severityStyle(v.Severity), string(v.Severity)), " ", outline.Rule(v.Reason))
		t.line(4, v.Ref, ": ", v.Text)
	}
}

// verdictOf is the closing line.
func verdictOf(c *diff.Comparison) string {
	s := c.Summary
	if !c.Differ() {
		return "No difference: " + text.Count(s.Same, "step") + " on both sides, and the same violations"
	}
	verdict := fmt.Sprintf("Difference: %s only before, %s only after, %s to different values, %s the same",
		text.Count(s.OnlyBefore.Steps(), "step"), text.Count(s.OnlyAfter.Steps(), "step"), text.Thousands(s.Differs), text.Thousands(s.Same))
	if n := len(c.Found); n > 0 {
		verdict += ", and " + text.Count(n, "violation") + " on one side only"
	}
	return verdict
}

func sectionTitle(c *diff.Comparison, only diff.Side) string {
	effects := c.Summary.OnlyAfter
	switch only {
	case diff.Both:
		return "To different values: " + text.Count(c.Summary.Differs, "change") + " of visibility"
	case diff.Before:
		effects = c.Summary.OnlyBefore
	}
	return "Only " + string(only) + ": " + effectWords(effects)
}

// effectWords lists what the steps are.
func effectWords(e diff.Effects) string {
	return outline.Join(
		outline.Things(e.DeleteTags, "tag deletion"),
		outline.Things(e.DeleteImages, "image deletion"),
		outline.Things(e.DeleteNamespaces, "namespace deletion"),
		outline.Things(e.SetVisibility, "visibility change"),
	)
}
