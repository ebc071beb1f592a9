package outline

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// RuleTotal is what one rule does.
type RuleTotal struct {
	Rule string // its name
	// Steps are those that name the rule. One that several rules ask for counts for
	// each of them.
	Steps      int
	Tags       int // of the steps, that are deleted
	Images     int // that the steps are on or in
	Namespaces int // that the steps are on
	Held       int // entries that name the rule, and that a guard holds
	// Bytes is the size of those images, of which other tags may stay; 0 if it is
	// not known.
	Bytes          uint64
	Oldest, Newest time.Time // of what is deleted; zero without deletions
}

// ByRule counts what some steps and held entries of a plan do, by rule, those with
// most steps first.
func ByRule(steps []actions.Step, held []actions.Held, stats *actions.Stats) []RuleTotal {
	totals, images := map[string]*RuleTotal{}, map[string]map[string]bool{}
	name := func(r registry.Reason) string { return r.Rule }
	of := func(rule string) *RuleTotal {
		if totals[rule] == nil {
			totals[rule], images[rule] = &RuleTotal{Rule: rule}, map[string]bool{}
		}
		return totals[rule]
	}
	for i := range steps {
		for _, rule := range distinct(steps[i].Reasons, name) {
			of(rule).add(&steps[i], images[rule])
		}
	}
	for i := range held {
		for _, rule := range distinct(held[i].Reasons, name) {
			of(rule).Held++
		}
	}
	for rule, t := range totals {
		t.Images = len(images[rule])
		for image := range images[rule] {
			if stats != nil {
				t.Bytes += stats.Images[image].Bytes
			}
		}
	}
	out := make([]RuleTotal, 0, len(totals))
	for _, rule := range slices.Sorted(maps.Keys(totals)) {
		out = append(out, *totals[rule])
	}
	slices.SortStableFunc(out, func(a, b RuleTotal) int { return cmp.Or(b.Steps-a.Steps, b.Held-a.Held) })
	return out
}

func (t *RuleTotal) add(s *actions.Step, images map[string]bool) {
	t.Steps++
	if s.Image == "" {
		t.Namespaces++
	} else {
		images[s.Object().String()] = true
	}
	if s.Action == actions.DeleteTag {
		t.Tags++
	}
	if !s.Action.Deletes() {
		return
	}
	if t.Oldest.IsZero() || s.UpdatedAt.Before(t.Oldest) {
		t.Oldest = s.UpdatedAt
	}
	if s.UpdatedAt.After(t.Newest) {
		t.Newest = s.UpdatedAt
	}
}
