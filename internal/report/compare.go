package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// CompareFormats lists the formats of Compare.
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
	tagCell := func(c diff.Change) cell { return cell{name: tagOf(c.Ref)} }
	return o.write(w, "compare.txt", c, template.FuncMap{
		"facts":      func(s diff.Plan) string { return sideFacts(s, c.Zone) },
		"ruleRows":   o.ruleRows,
		"sections":   differencesOf,
		"object":     func(c diff.Change) string { return objectOf(c).String() },
		"alike":      alikeChanges,
		"step":       stepSide,
		"other":      otherPosition,
		"otherSide":  otherSide,
		"what":       actionWords,
		"position":   positionWords,
		"shown":      shownReasons,
		"tagColumns": func(indent string, of []diff.Change) string { return columns(o, indent, of, tagCell) },
		"verdict":    verdictOf,
	})
}

// sideFacts sums up the plan of one side.
func sideFacts(s diff.Plan, zone *time.Location) string {
	out := text.Moment(s.TakenAt, zone)
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

func (o TextOptions) ruleRows(indent string, rules []diff.ByRule) string {
	rows := make([][]string, len(rules))
	for i, r := range rules {
		rows[i] = []string{r.Rule, text.Thousands(r.OnlyBefore), text.Thousands(r.OnlyAfter)}
	}
	return o.table(indent, []string{"rule", "before", "after"}, rows)
}

// differences are the changes of one kind, by object.
type differences struct {
	Only    diff.Side
	Title   string
	Objects []outline.Alike[diff.Change]
}

// differencesOf are all changes in the order for reading.
func differencesOf(c *diff.Comparison) []differences {
	var out []differences
	for _, only := range []diff.Side{diff.After, diff.Before, diff.Both} {
		of := slices.DeleteFunc(slices.Clone(c.Changes), func(c diff.Change) bool { return c.Only != only })
		objects := outline.GroupBy(of, func(c diff.Change) string { return objectOf(c).String() })
		slices.SortFunc(objects, func(a, b outline.Alike[diff.Change]) int {
			return outline.Compare(objectOf(a.First()), objectOf(b.First()))
		})
		if len(objects) > 0 {
			out = append(out, differences{only, sectionTitle(c, only), objects})
		}
	}
	return out
}

func sectionTitle(c *diff.Comparison, only diff.Side) string {
	e := c.Summary.OnlyAfter
	switch only {
	case diff.Both:
		return "To different values: " + text.Count(c.Summary.Differs, "change") + " of visibility"
	case diff.Before:
		e = c.Summary.OnlyBefore
	}
	return "Only " + string(only) + ": " + outline.Join(
		outline.Things(e.DeleteTags, "tag deletion"),
		outline.Things(e.DeleteImages, "image deletion"),
		outline.Things(e.DeleteNamespaces, "namespace deletion"),
		outline.Things(e.SetVisibility, "visibility change"),
	)
}

// objectOf is the image or the namespace that a change is about.
func objectOf(c diff.Change) registry.Ref { return outline.Parse(c.Ref).WithoutTag() }

// tagOf is the tag of a reference, and the reference itself if it has none.
func tagOf(ref string) string { return cmp.Or(outline.Parse(ref).Tag, ref) }

// alikeChanges groups changes of one object that only differ in the tag.
func alikeChanges(changes []diff.Change) []outline.Alike[diff.Change] {
	key := func(p diff.Position) string {
		return strings.Join([]string{string(p.State), string(p.To), string(p.Guard), p.Detail, outline.ReasonsKey(p.Reasons)}, "\x00")
	}
	return outline.GroupBy(changes, func(c diff.Change) string {
		return string(c.Action) + "\x00" + key(c.Before) + "\x00" + key(c.After)
	})
}

// stepSide is the side that has the step.
func stepSide(c diff.Change) diff.Position {
	if c.Only == diff.Before {
		return c.Before
	}
	return c.After
}

func otherPosition(c diff.Change) diff.Position {
	if c.Only == diff.Before {
		return c.After
	}
	return c.Before
}

func otherSide(only diff.Side) diff.Side {
	if only == diff.Before {
		return diff.After
	}
	return diff.Before
}

// actionWords is what n changes of the same kind do.
func actionWords(c diff.Change, n int) string {
	switch c.Action {
	case actions.DeleteTag:
		return "- delete " + text.Count(n, "tag")
	case actions.DeleteImage:
		return "- delete the image"
	case actions.DeleteNamespace:
		return "- delete the namespace"
	default:
		return "~ visibility → " + string(stepSide(c).To)
	}
}

// positionWords is what a side does with an object.
func positionWords(a actions.Action, s diff.Position) string {
	switch s.State {
	case diff.StateStep:
		words := "→ " + string(s.To)
		if a.Deletes() {
			words = "deletes it"
		}
		if s.Detail != "" {
			words += " (" + s.Detail + ")"
		}
		return words
	case diff.StateHeld:
		return "held by " + string(s.Guard) + ": " + s.Detail
	case diff.StateKept:
		return cmp.Or(s.Detail, "kept by "+strings.Join(slices.Compact(ruleNames(s.Reasons)), ", "))
	case diff.StateUnmarked:
		return s.Detail
	case diff.StateGap:
		return "not judged: " + s.Detail
	case diff.StateAbsent:
		return "not seen: deleted since then, or skipped"
	default:
		return "not in that plan, which does not record the reason"
	}
}

// shownReasons are those of a position. Of one on hold, the guard is the reason.
func shownReasons(p diff.Position) []registry.Reason {
	if p.State == diff.StateHeld {
		return nil
	}
	return p.Reasons
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
