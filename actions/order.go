package actions

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Arrange puts the entries in order, and counts them. What was judged is counted
// by the caller.
func (p *Plan) Arrange() {
	p.Steps, p.Held = sorted(p.Steps, compareSteps), sorted(p.Held, compareHeld)
	p.Violations, p.Gaps = sorted(p.Violations, compareViolations), sorted(p.Gaps, compareGaps)
	slices.SortFunc(p.Images, func(a, b PlannedImage) int { return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.ID, b.ID)) })
	p.Summary = p.count()
}

// count is the summary that the entries make.
func (p *Plan) count() Summary {
	s := Summary{
		Namespaces: p.Summary.Namespaces, Images: p.Summary.Images, Tags: p.Summary.Tags,
		Held: len(p.Held), Gaps: len(p.Gaps),
	}
	for i := range p.Steps {
		s.Add(p.Steps[i].Action)
	}
	for i := range p.Violations {
		if p.Violations[i].Severity == registry.Deny {
			s.Deny++
		} else {
			s.Warn++
		}
	}
	return s
}

// Seal gives the plan its ID. A time that JSON cannot hold leaves it empty: Encode
// says so, and no plan without an ID is ever applied.
func (p *Plan) Seal() { p.ID, _ = p.digest() }

// sorted sorts in place; an absent list becomes an empty one.
func sorted[T any](list []T, compare func(a, b *T) int) []T {
	if list == nil {
		return []T{}
	}
	slices.SortFunc(list, func(a, b T) int { return compare(&a, &b) })
	return list
}

func compareSteps(a, b *Step) int {
	return cmp.Or(CompareChanges(a.Ref, a.Action, b.Ref, b.Action),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Digest, b.Digest), a.UpdatedAt.Compare(b.UpdatedAt),
		cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), slices.CompareFunc(a.Reasons, b.Reasons, registry.CompareReasons))
}

// CompareChanges is the order of steps and of held entries.
func CompareChanges(ref string, action Action, otherRef string, otherAction Action) int {
	return cmp.Or(cmp.Compare(ref, otherRef), cmp.Compare(action, otherAction))
}

func compareHeld(a, b *Held) int {
	return cmp.Or(CompareChanges(a.Ref, a.Action, b.Ref, b.Action),
		cmp.Compare(a.Guard, b.Guard), cmp.Compare(a.Detail, b.Detail), slices.CompareFunc(a.Reasons, b.Reasons, registry.CompareReasons))
}

func compareGaps(a, b *registry.Gap) int {
	return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Error, b.Error))
}

func compareViolations(a, b *registry.Violation) int { return registry.CompareViolations(*a, *b) }
