package diff

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Explanations remember why one plan does not have the steps of the other. Their
// memory is bounded by those steps. Call the methods from one goroutine at a time.
type Explanations struct {
	positions map[changeKey]Position
	ignored   map[registry.Ref]bool
}

// NewExplanations returns no explanation yet.
func NewExplanations() *Explanations {
	return &Explanations{positions: make(map[changeKey]Position), ignored: make(map[registry.Ref]bool)}
}

// Add explains the steps that the other plan has on an image with its tags, or on
// a namespace, by the verdict that this plan is made of. Call it with every
// verdict.
func (e *Explanations) Add(v registry.Verdict, others []actions.Step) {
	if len(others) == 0 {
		return
	}
	var tags map[string]int
	if v.Image != nil {
		tags = make(map[string]int, len(v.Image.Tags))
		for i := range v.Image.Tags {
			tags[v.Image.Tags[i].Name] = i
		}
	}
	for i := range others {
		s := &others[i]
		if p, ok := explain(&v, s, tags); ok {
			e.positions[changeKey{s.Action, s.Ref}] = p
		}
	}
}

// Ignore notes an image or a namespace outside of the scope of this plan.
func (e *Explanations) Ignore(ref registry.Ref) { e.ignored[ref] = true }

func (e *Explanations) ignores(ref string) bool {
	if e == nil || len(e.ignored) == 0 {
		return false
	}
	r, err := registry.ParseRef(ref)
	return err == nil && e.ignored[r.WithoutTag()]
}

// explain returns why a verdict does not lead to a step. It cannot where the tag does
// not exist, or is marked: what became of a marked tag is in the plan.
func explain(v *registry.Verdict, s *actions.Step, tags map[string]int) (Position, bool) {
	switch s.Action {
	case actions.DeleteTag:
		i, ok := tags[s.Tag]
		switch {
		case !ok:
			return Position{}, false
		case len(v.Tags) != len(v.Image.Tags):
			return explainDeletion(nil, nil)
		}
		return explainDeletion(v.Tags[i].Delete, v.Tags[i].Keep)
	case actions.DeleteImage, actions.DeleteNamespace:
		return explainDeletion(v.Delete, v.Keep)
	}
	if v.Visibility == nil {
		return Position{State: StateUnmarked, Detail: "no rule asks for a change", Reasons: []registry.Reason{}}, true
	}
	to := v.Visibility.To
	return Position{State: StateKept, To: to, Detail: "it is " + string(to) + " already, as the rules ask", Reasons: v.Visibility.Reasons}, true
}

func explainDeletion(del, keep []registry.Reason) (Position, bool) {
	switch {
	case len(del) == 0:
		return Position{State: StateUnmarked, Detail: "no rule marks it", Reasons: []registry.Reason{}}, true
	case len(keep) > 0:
		return Position{State: StateKept, Reasons: keep}, true
	}
	return Position{}, false
}
