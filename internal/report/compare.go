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

// Compare renders a comparison. Other options than the price matter to the text alone.
func Compare(w io.Writer, f Format, c *diff.Comparison, o TextOptions) error {
	switch f {
	case FormatText:
		return compareText(w, outline.Clean(c), o)
	case FormatJSON:
		return c.Encode(w)
	case FormatMarkdown:
		return compareMarkdown(w, outline.Clean(c), o)
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, CompareFormats())
	}
}

func compareText(w io.Writer, c *diff.Comparison, o TextOptions) error {
	differences, err := o.differences(c)
	if err != nil {
		return err
	}
	return o.write(w, "compare.txt", c, template.FuncMap{
		"facts":       func(s diff.Plan) string { return o.planFacts(s, c.Zone) },
		"ruleRows":    o.ruleRows,
		"differences": func() string { return differences },
		"verdict":     verdictOf,
	})
}

// differences lists all changes, or, if that takes too many lines, an object a line.
func (o TextOptions) differences(c *diff.Comparison) (string, error) {
	if o.Details == DetailsNone {
		return "", nil
	}
	tagCell := func(c diff.Change) cell { return cell{name: tagOf(c.Ref)} }
	var b strings.Builder
	sections := differencesOf(c)
	err := o.execute(&b, "differences.txt", sections, template.FuncMap{
		"object":     func(c diff.Change) string { return objectOf(c).String() },
		"alike":      alikeInText,
		"step":       positionWithStep,
		"other":      otherPosition,
		"otherSide":  otherPlan,
		"what":       describeActions,
		"position":   describePosition,
		"shown":      shownReasons,
		"tagColumns": func(indent string, of []diff.Change) string { return columns(o, indent, of, tagCell) },
		"changeRows": func(indent string, of []diff.Change) string { return listed(o, indent, of, changeRow) },
	})
	all := strings.TrimRight(b.String(), "\n")
	if err != nil || o.Details == DetailsAll || strings.Count(all, "\n") <= detailsMax {
		return all, err
	}
	return o.differencesInShort(sections), nil
}

// differencesInShort has a line for each object.
func (o TextOptions) differencesInShort(sections []differences) string {
	var b strings.Builder
	room, left := detailsMax, 0
	for _, s := range sections {
		objects := s.Objects[:min(room, len(s.Objects))]
		left += len(s.Objects) - len(objects)
		room -= len(objects)
		rows := make([][]string, len(objects))
		for i, object := range objects {
			byRule := outline.GroupBy(object.Entries, func(c diff.Change) string { return firstRule(positionWithStep(c).Reasons) })
			rows[i] = []string{objectOf(object.First()).String(), o.Color.Red(text.Thousands(len(object.Entries))) + ": " +
				outline.Each(byRule, ", ", func(a outline.Alike[diff.Change]) string {
					return firstRule(positionWithStep(a.First()).Reasons) + " " + text.Thousands(len(a.Entries))
				})}
		}
		b.WriteString(o.short(s.Title, rows))
	}
	return b.String() + moreImages(left) + "\n\n" + o.Color.Cyan("This is shortened.") + " --details all shows everything"
}

// changeRow is one of some changes that have the same rules but differ in their words.
func changeRow(c diff.Change) (first []string, words string) {
	other := otherPosition(c)
	words = joined("; ", outline.Texts(positionWithStep(c).Reasons), string(otherPlan(c.Only))+": "+describePosition(c.Action, other))
	return []string{tagOf(c.Ref)}, joined(": ", words, outline.Texts(shownReasons(other)))
}

// planFacts sums up one of the plans.
func (o TextOptions) planFacts(s diff.Plan, zone *time.Location) string {
	out := text.Moment(s.TakenAt, zone)
	if s.Forecast {
		out += " (forecast)"
	}
	out += ", " + outline.Join(outline.Planned(s.Summary), rest(s.Summary))
	if freed := o.freed(&s.Summary.Frees); freed != "" {
		out += ", frees " + freed
	}
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
	columns := []string{"rule", "before", "after"}
	known := freesKnown(rules)
	if known {
		columns = append(columns, "frees before", "frees after")
	}
	for i, r := range rules {
		rows[i] = []string{r.Rule, text.Thousands(r.OnlyBefore), text.Thousands(r.OnlyAfter)}
		if known {
			rows[i] = append(rows[i], o.freed(r.Before), o.freed(r.After))
		}
	}
	return o.table(indent, columns, rows)
}

// freed is what a side frees; "" if that is not known.
func (o TextOptions) freed(f *actions.Frees) string {
	if f == nil {
		return ""
	}
	return outline.Freed(*f, o.Price)
}

// freesKnown reports whether it is known of any rule what it frees.
func freesKnown(rules []diff.ByRule) bool {
	return slices.ContainsFunc(rules, func(r diff.ByRule) bool { return r.Before != nil || r.After != nil })
}

// differences are the changes of one kind, by object.
type differences struct {
	Only    diff.Presence
	Title   string
	Objects []outline.Alike[diff.Change]
}

// differencesOf are all changes in the order for reading.
func differencesOf(c *diff.Comparison) []differences {
	var out []differences
	for _, only := range []diff.Presence{diff.After, diff.Before, diff.Both} {
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

func sectionTitle(c *diff.Comparison, only diff.Presence) string {
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
	return outline.GroupBy(changes, changeKey)
}

func changeKey(c diff.Change) string {
	return keyOf(c, func(p diff.Position) string { return p.Detail + "\x00" + outline.ReasonsKey(p.Reasons) })
}

// alikeInText groups changes of one object as the text of a plan does: first those
// that only differ in the tag, then deletions of tags by the same rules.
func alikeInText(changes []diff.Change) []outline.Alike[diff.Change] {
	return outline.GroupAlike(changes, changeKey, func(c diff.Change) string {
		if c.Action != actions.DeleteTag {
			return c.Ref + changeKey(c)
		}
		return keyOf(c, func(p diff.Position) string { return outline.RulesOf(p.Reasons) })
	})
}

func keyOf(c diff.Change, why func(diff.Position) string) string {
	key := func(p diff.Position) string {
		return strings.Join([]string{string(p.State), string(p.To), string(p.Guard), why(p)}, "\x00")
	}
	return string(c.Action) + "\x00" + key(c.Before) + "\x00" + key(c.After)
}

// positionWithStep is the position in the plan that has the step.
func positionWithStep(c diff.Change) diff.Position { return chosen(c.Only, c.Before, c.After) }

func otherPosition(c diff.Change) diff.Position { return chosen(c.Only, c.After, c.Before) }

func otherPlan(only diff.Presence) diff.Presence { return chosen(only, diff.After, diff.Before) }

// chosen is what belongs to a change: the first if it is only before.
func chosen[T any](only diff.Presence, before, after T) T {
	if only == diff.Before {
		return before
	}
	return after
}

// describeActions is what n changes of the same kind do.
func describeActions(c diff.Change, n int) string {
	switch c.Action {
	case actions.DeleteTag:
		return "- delete " + text.Count(n, "tag")
	case actions.DeleteImage:
		return "- delete the image"
	case actions.DeleteNamespace:
		return "- delete the namespace"
	default:
		return "~ visibility → " + string(positionWithStep(c).To)
	}
}

// describePosition is what a plan does with an object.
func describePosition(a actions.Action, s diff.Position) string {
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
	if before, after := c.Before.Summary.Frees, c.After.Summary.Frees; before.Bytes.Known && after.Bytes.Known {
		verdict += freedDifference(before.Bytes.N, after.Bytes.N)
		if before.Unknown.N+after.Unknown.N > 0 {
			verdict += ", as far as is known"
		}
	}
	if n := len(c.Found); n > 0 {
		verdict += ", and " + text.Count(n, "violation") + " on one side only"
	}
	return verdict
}

// freedDifference is how much more, or less, the plan after frees.
func freedDifference(before, after uint64) string {
	switch {
	case after > before:
		return "; " + text.Size(after-before) + " more are freed"
	case after < before:
		return "; " + text.Size(before-after) + " less are freed"
	}
	return "; the same is freed"
}

// joined joins what is not empty.
func joined(separator string, parts ...string) string {
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, separator)
}
