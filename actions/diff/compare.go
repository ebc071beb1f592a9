package diff

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Input is one of the two plans to compare.
type Input struct {
	Name string
	Plan *actions.Plan
	// Why explains what the plan does not show; nil for a saved plan.
	Why *Explanations
}

// Compare compares two plans. It is pure: the same inputs give the same
// comparison.
func Compare(before, after Input, notes ...string) *Comparison {
	c := &comparer{
		before: newInput(before), after: newInput(after), rules: map[string]*ByRule{},
		out: &Comparison{Version: actions.Version, Notes: append([]string{}, notes...), Rules: []ByRule{}, Changes: []Change{}, Found: []Finding{}},
	}
	c.before.effects, c.after.effects = &c.out.Summary.OnlyBefore, &c.out.Summary.OnlyAfter
	c.out.Before, c.out.After = c.before.describe(), c.after.describe()
	a, b := before.Plan, after.Plan
	if !a.TakenAt.Equal(b.TakenAt) {
		c.note("The plans were made for different times: what was pushed, moved, deleted or grew older in between differs too.")
	} else if a.ConfigDigest == b.ConfigDigest && a.PolicyDigest == b.PolicyDigest {
		c.note("Both plans have the same rules and policies.")
	}
	c.steps(a.Steps, b.Steps)
	c.violations()
	if n := c.out.Summary.OutOfScope; n > 0 {
		are := text.Choose(n, "is", "are")
		c.note(text.Count(n, "step") + " of one plan " + are + " outside of the scope of the other, and " + are + " not compared.")
	}
	c.frees(a.FreesByRule, func(r *ByRule, f *actions.Frees) { r.Before = f })
	c.frees(b.FreesByRule, func(r *ByRule, f *actions.Frees) { r.After = f })
	for _, rule := range slices.Sorted(maps.Keys(c.rules)) {
		c.out.Rules = append(c.out.Rules, *c.rules[rule])
	}
	return c.out
}

type comparer struct {
	before, after *input
	out           *Comparison
	rules         map[string]*ByRule
}

func (c *comparer) note(text string) { c.out.Notes = append(c.out.Notes, text) }

// steps walks the steps of both plans, which are sorted alike.
func (c *comparer) steps(a, b []actions.Step) {
	less := func(a, b []actions.Step) bool {
		return len(b) == 0 || len(a) > 0 && actions.CompareChanges(a[0].Ref, a[0].Action, b[0].Ref, b[0].Action) < 0
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case less(a, b):
			c.onlyBefore(&a[0])
			a = a[1:]
		case less(b, a):
			c.onlyAfter(&b[0])
			b = b[1:]
		default:
			c.both(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}

// both are steps of the same action on the same object.
func (c *comparer) both(a, b *actions.Step) {
	same := a.ID == b.ID && a.Digest == b.Digest && a.UpdatedAt.Equal(b.UpdatedAt)
	if same && a.To == b.To {
		c.out.Summary.Same++
		return
	}
	before, after := positionOf(a), positionOf(b)
	if !same {
		before.Detail, after.Detail = objectOf(a), objectOf(b)
	}
	c.out.Summary.Differs++
	c.add(Change{Only: Both, Action: a.Action, Ref: a.Ref, Before: before, After: after})
}

// objectOf describes the very object of a step: what stands under its name may have
// been replaced between two plans.
func objectOf(s *actions.Step) string {
	object := "id " + s.ID
	if s.Digest != "" {
		object += ", digest " + s.Digest
	}
	return object + ", updated " + s.UpdatedAt.UTC().Format(time.RFC3339Nano)
}

func (c *comparer) onlyBefore(s *actions.Step) {
	if c.after.Why.ignores(s.Ref) {
		c.out.Summary.OutOfScope++
		return
	}
	c.before.effects.Add(s.Action)
	c.add(Change{Only: Before, Action: s.Action, Ref: s.Ref, Before: positionOf(s), After: c.after.position(s)})
}

func (c *comparer) onlyAfter(s *actions.Step) {
	if c.before.Why.ignores(s.Ref) {
		c.out.Summary.OutOfScope++
		return
	}
	c.after.effects.Add(s.Action)
	c.add(Change{Only: After, Action: s.Action, Ref: s.Ref, Before: c.before.position(s), After: positionOf(s)})
}

// add adds a difference, and counts its steps once for each rule that they name.
func (c *comparer) add(change Change) {
	c.out.Changes = append(c.out.Changes, change)
	if change.Only != After {
		c.count(change.Before.Reasons, func(r *ByRule) { r.OnlyBefore++ })
	}
	if change.Only != Before {
		c.count(change.After.Reasons, func(r *ByRule) { r.OnlyAfter++ })
	}
}

func (c *comparer) count(reasons []registry.Reason, one func(*ByRule)) {
	for i, r := range reasons {
		if i > 0 && reasons[i-1].Rule == r.Rule { // sorted by rule
			continue
		}
		if c.rules[r.Rule] == nil {
			c.rules[r.Rule] = &ByRule{Rule: r.Rule}
		}
		one(c.rules[r.Rule])
	}
}

// frees adds what the rules free of which a step differs.
func (c *comparer) frees(rules []actions.RuleFrees, set func(*ByRule, *actions.Frees)) {
	for i := range rules {
		if of := c.rules[rules[i].Rule]; of != nil {
			set(of, &rules[i].Frees)
		}
	}
}

// violations finds those that only one plan has.
func (c *comparer) violations() {
	c.found(Before, c.before, c.after)
	c.found(After, c.after, c.before)
	slices.SortStableFunc(c.out.Found, func(a, b Finding) int {
		return cmp.Or(registry.CompareViolations(a.Violation, b.Violation), cmp.Compare(a.Only, b.Only))
	})
}

func (c *comparer) found(only Presence, in, other *input) {
	// A rule that moved in its file is still the same rule.
	key := func(v registry.Violation) registry.Violation { v.Source = ""; return v }
	known := make(map[registry.Violation]bool, len(other.Plan.Violations))
	for _, v := range other.Plan.Violations {
		known[key(v)] = true
	}
	for _, v := range in.Plan.Violations {
		if known[key(v)] || other.Why.ignores(v.Ref) {
			continue
		}
		c.out.Found = append(c.out.Found, Finding{Only: only, Violation: v})
		switch v.Severity {
		case registry.Deny:
			in.effects.Deny++
		case registry.Waived:
			in.effects.Waived++
		default:
			in.effects.Warn++
		}
	}
}

// input is one of the two plans while they are compared.
type input struct {
	Input
	effects *Effects
	held    map[changeKey]*actions.Held
}

type changeKey struct {
	action actions.Action
	ref    string
}

func newInput(in Input) *input {
	held := make(map[changeKey]*actions.Held, len(in.Plan.Held))
	for i := range in.Plan.Held {
		h := &in.Plan.Held[i]
		held[changeKey{h.Action, h.Ref}] = h
	}
	return &input{Input: in, held: held}
}

func (in *input) describe() Plan {
	p := in.Plan
	return Plan{
		Name: in.Name, ID: p.ID, TakenAt: p.TakenAt, ConfigDigest: p.ConfigDigest, PolicyDigest: p.PolicyDigest,
		Forecast: p.Forecast, Refused: p.Refused(), Incomplete: p.Incomplete(), Summary: p.Summary,
	}
}

// position is why the plan does not have a step of the other.
func (in *input) position(s *actions.Step) Position {
	key := changeKey{s.Action, s.Ref}
	if h := in.held[key]; h != nil {
		return Position{State: StateHeld, Guard: h.Guard, Detail: h.Detail, Reasons: h.Reasons}
	}
	for _, g := range in.Plan.Gaps {
		if g.Subject == s.Ref || strings.HasPrefix(s.Ref, g.Subject+"/") || strings.HasPrefix(s.Ref, g.Subject+":") {
			return Position{State: StateGap, Detail: g.Error, Reasons: []registry.Reason{}}
		}
	}
	if in.Why == nil {
		return Position{State: StateUnknown, Reasons: []registry.Reason{}}
	}
	if p, ok := in.Why.positions[key]; ok {
		return p
	}
	return Position{State: StateAbsent, Reasons: []registry.Reason{}}
}

func positionOf(s *actions.Step) Position {
	return Position{State: StateStep, To: s.To, Reasons: s.Reasons}
}
