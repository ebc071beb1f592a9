package diff

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// rival is the same registry with other verdicts.
func (w world) rival(vs []registry.Verdict) []registry.Verdict {
	out := make([]registry.Verdict, len(vs))
	for i, v := range vs {
		v.Err, v.Tags = nil, make([]registry.TagVerdict, len(v.Tags))
		for k := range v.Tags {
			v.Tags[k] = registry.TagVerdict{Delete: w.reasons("rival", 30), Keep: w.reasons("keeper", 10)}
		}
		v.Delete, v.Keep = w.reasons("rival", 20), w.reasons("keeper", 10)
		if w.chance(10) {
			v.Err = errors.New("broken")
		}
		if w.chance(50) {
			v.Visibility = nil
		}
		out[i] = v
	}
	return out
}

// inputs decides about both, and lets each explain the steps of the other.
func inputs(o plan.Options, before, after []registry.Verdict, gaps []registry.Gap) (Input, Input) {
	a, b := plan.NewBuilder(o), plan.NewBuilder(o)
	x, y := Input{Name: "before", Why: NewExplanations()}, Input{Name: "after", Why: NewExplanations()}
	for i := range before {
		p, q := plan.Decide(before[i], o), plan.Decide(after[i], o)
		a.Add(p)
		b.Add(q)
		x.Why.Add(before[i], q.Steps())
		y.Why.Add(after[i], p.Steps())
	}
	for _, g := range gaps {
		a.AddGap(g)
		b.AddGap(g)
	}
	x.Plan, y.Plan = a.Plan(), b.Plan()
	return x, y
}

func TestEveryStepIsComparedOnceAndExplained(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, vs, gaps := w.options(), w.registry(), w.gaps()
		before, after := inputs(o, vs, w.rival(vs), gaps)
		c := Compare(before, after)
		n, s := len(before.Plan.Steps)+len(after.Plan.Steps), c.Summary
		if got := 2*(s.Same+s.Differs) + s.OnlyBefore.Steps() + s.OnlyAfter.Steps(); got != n || s.OutOfScope != 0 {
			t.Fatalf("%d steps are compared, there are %d", got, n)
		}
		if len(c.Changes) != s.Differs+s.OnlyBefore.Steps()+s.OnlyAfter.Steps() {
			t.Fatalf("%d differences, counted %+v", len(c.Changes), s)
		}
		votes := map[string]registry.TagVerdict{}
		for side, list := range map[Presence][]registry.Verdict{Before: vs} {
			for _, v := range list {
				for i := range v.Tags {
					votes[string(side)+v.Image.TagRef(v.Image.Tags[i].Name).String()] = v.Tags[i]
				}
			}
		}
		for _, change := range c.Changes {
			checkPositions(t, change, votes)
		}
	})
}

func checkPositions(t *testing.T, c Change, votes map[string]registry.TagVerdict) {
	t.Helper()
	step, other := c.After, c.Before
	if c.Only == Before {
		step, other = c.Before, c.After
	}
	if step.State != StateStep || len(step.Reasons) == 0 {
		t.Errorf("%s: the side that has the step has %+v", c.Ref, step)
	}
	if c.Only == Both {
		return
	}
	switch other.State {
	case StateHeld, StateGap, StateKept, StateUnmarked:
	default:
		t.Errorf("%s: without a history why the other side does not: %+v", c.Ref, other)
	}
	if vote, ok := votes[string(Before)+c.Ref]; ok && c.Only == After && c.Action == actions.DeleteTag {
		if other.State == StateKept && (len(vote.Keep) == 0 || len(vote.Delete) == 0) || other.State == StateUnmarked && len(vote.Delete) > 0 {
			t.Errorf("%s: the verdict is %+v, the position is %+v", c.Ref, vote, other)
		}
	}
}

func TestAPlanDoesNotDifferFromItself(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		p := planOf(w.options(), w.registry(), w.gaps())
		if c := Compare(Input{Plan: p}, Input{Plan: p}); c.Differ() || c.Summary.Same != len(p.Steps) {
			t.Errorf("it differs: %+v", c.Summary)
		}
	})
}

func TestSwappingTheSidesSwapsTheComparison(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, vs := w.options(), w.registry()
		a, b := inputs(o, vs, w.rival(vs), nil)
		c, d := Compare(a, b), Compare(b, a)
		if diff := cmp.Diff([]Effects{c.Summary.OnlyBefore, c.Summary.OnlyAfter}, []Effects{d.Summary.OnlyAfter, d.Summary.OnlyBefore}); diff != "" {
			t.Error(diff)
		}
		for i := range c.Changes {
			if diff := cmp.Diff([]Position{c.Changes[i].Before, c.Changes[i].After}, []Position{d.Changes[i].After, d.Changes[i].Before}); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// What stands under the same name may be another object by now: its id, its digest
// or its time tells.
func TestAReplacedObjectIsADifference(t *testing.T) {
	for name, change := range map[string]func(*registry.Tag){
		"another id":     func(t *registry.Tag) { t.ID = "99999999-0000-4000-8000-000000000009" },
		"another digest": func(t *registry.Tag) { t.Digest = "sha256:0123" },
		"another time":   func(t *registry.Tag) { t.UpdatedAt = t.UpdatedAt.Add(-1) },
	} {
		v := oldTag("retention/prs")
		before := planOf(unlimited(), []registry.Verdict{v}, nil)
		img := *v.Image
		img.Tags = slices.Clone(img.Tags)
		change(&img.Tags[0])
		v.Image = &img
		c := Compare(Input{Plan: before}, Input{Plan: planOf(unlimited(), []registry.Verdict{v}, nil)})
		if len(c.Changes) != 1 || c.Summary.Differs != 1 || c.Changes[0].Only != Both || c.Changes[0].Before.Detail == c.Changes[0].After.Detail {
			t.Errorf("%s: %+v", name, c.Changes)
		}
	}
}

func TestSavedPlansDoNotShowWhy(t *testing.T) {
	v := oldTag("retention/prs")
	with := planOf(unlimited(), []registry.Verdict{v}, nil)
	v.Tags = nil
	without := planOf(unlimited(), []registry.Verdict{v}, nil)
	c := Compare(Input{Plan: without}, Input{Plan: with})
	if len(c.Changes) != 1 || c.Changes[0].Before.State != StateUnknown || c.Changes[0].Only != After {
		t.Errorf("%+v", c.Changes)
	}
	if diff := cmp.Diff([]ByRule{{Rule: "retention/prs", OnlyAfter: 1}}, c.Rules); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsOutsideOfAScopeAreNotCompared(t *testing.T) {
	v := oldTag("retention/prs")
	p := planOf(unlimited(), []registry.Verdict{v}, nil)
	w := NewExplanations()
	w.Ignore(v.Image.Ref())
	c := Compare(Input{Plan: planOf(unlimited(), nil, nil), Why: w}, Input{Plan: p})
	if c.Differ() || c.Summary.OutOfScope != 1 || len(c.Notes) == 0 {
		t.Errorf("%+v", c)
	}
	// An object that no longer exists is another matter.
	c = Compare(Input{Plan: p}, Input{Plan: planOf(unlimited(), nil, nil), Why: NewExplanations()})
	if len(c.Changes) != 1 || c.Changes[0].After.State != StateAbsent {
		t.Errorf("%+v", c)
	}
}

func TestAComparisonIsValidJSONWithEveryArray(t *testing.T) {
	p := planOf(unlimited(), nil, nil)
	var b bytes.Buffer
	if err := Compare(Input{Plan: p}, Input{Plan: p}).Encode(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notes", "rules", "differences", "violations"} {
		if _, ok := got[name].([]any); !ok {
			t.Errorf("%s is %v", name, got[name])
		}
	}
}
