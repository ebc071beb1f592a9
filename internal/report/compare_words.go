package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// changeGroup is what differs in one image, or about one namespace itself.
type changeGroup struct {
	ref     registry.Ref
	changes []diff.Change // sorted by ref
}

// changesOf groups the changes of one kind by object, in the order for reading.
func changesOf(c *diff.Comparison, only diff.Only) []changeGroup {
	at := map[registry.Ref]int{}
	var out []changeGroup
	for _, change := range c.Changes {
		if change.Only != only {
			continue
		}
		ref, err := registry.ParseRef(change.Ref)
		if err != nil {
			ref = registry.Ref{Namespace: change.Ref} // never hidden, whatever it is
		}
		ref = ref.WithoutTag()
		i, ok := at[ref]
		if !ok {
			i = len(out)
			at[ref] = i
			out = append(out, changeGroup{ref: ref})
		}
		out[i].changes = append(out[i].changes, change)
	}
	slices.SortFunc(out, func(a, b changeGroup) int { return cmp.Or(compareRefs(a.ref, b.ref)) })
	return out
}

// likeness is the same for changes that differ in nothing but the tag.
func likeness(c diff.Change) string {
	return string(c.Action) + "\x00" + stanceKey(c.Before) + "\x00" + stanceKey(c.After)
}

func stanceKey(s diff.Stance) string {
	return strings.Join([]string{string(s.Standing), string(s.To), string(s.Guard), s.Detail, reasonsKey(s.Reasons)}, "\x00")
}

// sides tells the side that has the step from the other one.
func sides(c diff.Change) (step, other diff.Stance) {
	if c.Only == diff.InBefore {
		return c.Before, c.After
	}
	return c.After, c.Before
}

func otherSide(only diff.Only) string {
	if only == diff.InBefore {
		return string(diff.InAfter)
	}
	return string(diff.InBefore)
}

// actionWords says what n like changes do.
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
		return "~ visibility → " + clean(string(step.To))
	}
}

// stanceWords says what a side makes of an object.
func stanceWords(a actions.Action, s diff.Stance) string {
	switch s.Standing {
	case diff.StandsStep:
		if a.Deletes() {
			return "deletes it"
		}
		return "→ " + clean(string(s.To))
	case diff.StandsHeld:
		return "held by " + clean(string(s.Guard)) + ": " + clean(s.Detail)
	case diff.StandsKept:
		if s.Detail != "" {
			return clean(s.Detail)
		}
		return "kept by " + keepers(s.Reasons)
	case diff.StandsFree:
		return clean(s.Detail)
	case diff.StandsGap:
		return "not judged: " + clean(s.Detail)
	case diff.StandsAbsent:
		return "not seen: gone since, or skipped"
	default:
		return "not in that plan, which does not say why"
	}
}

func keepers(reasons []registry.Reason) string {
	var names []string
	for _, r := range reasons {
		if name := clean(r.Rule); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// tagOf cuts the tag out of a reference.
func tagOf(ref string) string {
	if r, err := registry.ParseRef(ref); err == nil && r.Tag != "" {
		return r.Tag
	}
	return ref
}
