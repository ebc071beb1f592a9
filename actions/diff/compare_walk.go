package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func (c *comparer) note(text string) { c.out.Notes = append(c.out.Notes, text) }

type changeKey struct {
	action actions.Action
	ref    string
}

type comparer struct {
	before, after Half
	out           *Comparison
	held          [2]map[changeKey]*actions.Held
	rules         map[string]*ByRule
}

// steps walks the steps of both plans, which are sorted alike.
func (c *comparer) steps() {
	a, b := c.before.Plan.Steps, c.after.Plan.Steps
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = actions.CompareChanges(a[0].Ref, a[0].Action, b[0].Ref, b[0].Action)
		}
		switch {
		case order < 0:
			c.only(InBefore, &a[0])
			a = a[1:]
		case order > 0:
			c.only(InAfter, &b[0])
			b = b[1:]
		default:
			c.both(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}

// both are steps of the same action on the same object.
func (c *comparer) both(a, b *actions.Step) {
	if a.To == b.To {
		c.out.Summary.Same++
		return
	}
	c.out.Summary.Differs++
	c.out.Changes = append(c.out.Changes, Change{Only: InBoth, Action: a.Action, Ref: a.Ref, Before: stanceOf(a), After: stanceOf(b)})
	c.count(a.Reasons, func(r *ByRule) { r.OnlyBefore++ })
	c.count(b.Reasons, func(r *ByRule) { r.OnlyAfter++ })
}

// only is a step that one side has.
func (c *comparer) only(side Only, s *actions.Step) {
	out := Change{Only: side, Action: s.Action, Ref: s.Ref, Before: stanceOf(s), After: stanceOf(s)}
	if side == InBefore {
		if c.after.Witness.ignores(s.Ref) {
			c.out.Summary.OutOfScope++
			return
		}
		out.After = c.after.stance(s, c.held[1])
		c.out.Summary.OnlyBefore.Add(s.Action)
		c.count(s.Reasons, func(r *ByRule) { r.OnlyBefore++ })
	} else {
		if c.before.Witness.ignores(s.Ref) {
			c.out.Summary.OutOfScope++
			return
		}
		out.Before = c.before.stance(s, c.held[0])
		c.out.Summary.OnlyAfter.Add(s.Action)
		c.count(s.Reasons, func(r *ByRule) { r.OnlyAfter++ })
	}
	c.out.Changes = append(c.out.Changes, out)
}

// count counts a step once for each rule that it names.
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

// violations finds those that only one side has. A rule that moved in its file
// is still the same rule.
func (c *comparer) violations() {
	key := func(v registry.Violation) registry.Violation { v.Source = ""; return v }
	has := func(p *actions.Plan) map[registry.Violation]bool {
		set := make(map[registry.Violation]bool, len(p.Violations))
		for _, v := range p.Violations {
			set[key(v)] = true
		}
		return set
	}
	collect := func(side Only, p *actions.Plan, other Half, e *Effects) {
		known := has(other.Plan)
		for _, v := range p.Violations {
			if known[key(v)] || other.Witness.ignores(v.Ref) {
				continue
			}
			c.out.Found = append(c.out.Found, Finding{Only: side, Violation: v})
			if v.Severity == registry.Deny {
				e.Deny++
			} else {
				e.Warn++
			}
		}
	}
	collect(InBefore, c.before.Plan, c.after, &c.out.Summary.OnlyBefore)
	collect(InAfter, c.after.Plan, c.before, &c.out.Summary.OnlyAfter)
	slices.SortStableFunc(c.out.Found, func(a, b Finding) int {
		return cmp.Or(registry.CompareViolations(a.Violation, b.Violation), cmp.Compare(a.Only, b.Only))
	})
}

func stanceOf(s *actions.Step) Stance {
	return Stance{Standing: StandsStep, To: s.To, Reasons: s.Reasons}
}

func (h *Half) side() Side {
	p := h.Plan
	return Side{
		Name: h.Name, ID: p.ID, TakenAt: p.TakenAt, ConfigDigest: p.ConfigDigest, PolicyDigest: p.PolicyDigest,
		Forecast: p.Forecast, Refused: p.Refused(), Incomplete: p.Incomplete(), Summary: p.Summary,
	}
}

func (h *Half) heldByChange() map[changeKey]*actions.Held {
	out := make(map[changeKey]*actions.Held, len(h.Plan.Held))
	for i := range h.Plan.Held {
		held := &h.Plan.Held[i]
		out[changeKey{held.Action, held.Ref}] = held
	}
	return out
}

// stance says why this side has no such step.
func (h *Half) stance(s *actions.Step, held map[changeKey]*actions.Held) Stance {
	if e := held[changeKey{s.Action, s.Ref}]; e != nil {
		return Stance{Standing: StandsHeld, Guard: e.Guard, Detail: e.Detail, Reasons: e.Reasons}
	}
	for _, g := range h.Plan.Gaps {
		if g.Subject == s.Ref || strings.HasPrefix(s.Ref, g.Subject+"/") || strings.HasPrefix(s.Ref, g.Subject+":") {
			return Stance{Standing: StandsGap, Detail: g.Error, Reasons: []registry.Reason{}}
		}
	}
	if h.Witness == nil {
		return Stance{Standing: StandsUnknown, Reasons: []registry.Reason{}}
	}
	if known, ok := h.Witness.stances[changeKey{s.Action, s.Ref}]; ok {
		return known
	}
	return Stance{Standing: StandsAbsent, Reasons: []registry.Reason{}}
}
