package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// changesOf groups the changes of one kind by object, in the order for reading.
func changesOf(c *diff.Comparison, only diff.Side) []outline.Alike[diff.Change] {
	var of []diff.Change
	for _, change := range c.Changes {
		if change.Only == only {
			of = append(of, change)
		}
	}
	groups := outline.GroupBy(of, func(c diff.Change) string { return objectOf(c).String() })
	slices.SortFunc(groups, func(a, b outline.Alike[diff.Change]) int {
		return outline.Compare(objectOf(a.First()), objectOf(b.First()))
	})
	return groups
}

// objectOf is the image or the namespace that a change is about.
func objectOf(c diff.Change) registry.Ref { return outline.Parse(c.Ref).WithoutTag() }

// likeness is the same for changes that only differ in the tag.
func likeness(c diff.Change) string {
	return string(c.Action) + "\x00" + positionKey(c.Before) + "\x00" + positionKey(c.After)
}

func positionKey(s diff.Position) string {
	return strings.Join([]string{string(s.State), string(s.To), string(s.Guard), s.Detail, outline.ReasonsKey(s.Reasons)}, "\x00")
}

// sides are the side that has the step, and the other one.
func sides(c diff.Change) (step, other diff.Position) {
	if c.Only == diff.Before {
		return c.Before, c.After
	}
	return c.After, c.Before
}

func otherSide(only diff.Side) string {
	if only == diff.Before {
		return string(diff.After)
	}
	return string(diff.Before)
}

// actionWords is what n changes of the same kind do.
func actionWords(c diff.Change, n int) string {
	step, _ := sides(c)
	switch c.Action {
	case actions.DeleteTag:
		return "- delete " + text.Count(n, "tag")
	case actions.DeleteImage:
		return "- delete the image"
	case actions.DeleteNamespace:
		return "- delete the namespace"
	default:
		return "~ visibility → " + string(step.To)
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
		if s.Detail != "" {
			return s.Detail
		}
		return "kept by " + keepers(s.Reasons)
	case diff.StateUnmarked:
		return s.Detail
	case diff.StateGap:
		return "not judged: " + s.Detail
	case diff.StateAbsent:
		return "not seen: deleted since then, or skipped"
	default:
		return "not in that plan, and the plan does not have the reason"
	}
}

func keepers(reasons []registry.Reason) string {
	var names []string
	for _, r := range reasons {
		names = append(names, r.Rule)
	}
	return strings.Join(slices.Compact(names), ", ")
}

// tagOf is the tag of a reference, and the reference itself if it has none.
func tagOf(ref string) string { return cmp.Or(outline.Parse(ref).Tag, ref) }
