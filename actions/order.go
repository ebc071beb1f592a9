package actions

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Arrange puts the entries in order, and counts them. The caller counts what was
// judged, freed and archived.
func (p *Plan) Arrange() {
	p.Steps, p.Held = sorted(p.Steps, compareSteps), sorted(p.Held, compareHeld)
	p.Violations, p.Gaps = sorted(p.Violations, registry.CompareViolations), sorted(p.Gaps, compareGaps)
	slices.SortFunc(p.Images, compareImages)
	slices.SortFunc(p.FreesByRule, func(a, b RuleFrees) int { return cmp.Compare(a.Rule, b.Rule) })
	p.Summary = p.count()
}

// count is the summary that the entries make.
func (p *Plan) count() Summary {
	s := Summary{
		Namespaces: p.Summary.Namespaces, Images: p.Summary.Images, Tags: p.Summary.Tags,
		Held: len(p.Held), Gaps: len(p.Gaps), ImagesFromCache: p.Summary.ImagesFromCache, Frees: p.Summary.Frees,
		Archive: p.Summary.Archive,
	}
	for i := range p.Steps {
		s.Add(p.Steps[i].Action)
	}
	for i := range p.Violations {
		switch p.Violations[i].Severity {
		case registry.Deny:
			s.Deny++
		case registry.Waived:
			s.Waived++
		default:
			s.Warn++
		}
	}
	return s
}

// Seal gives the plan its ID. A time that JSON cannot hold leaves the ID empty:
// Encode reports it, and a plan without an ID is never applied.
func (p *Plan) Seal() { p.ID, _ = p.digest() }

// sorted sorts in place; an absent list becomes an empty one.
func sorted[T any](list []T, compare func(a, b T) int) []T {
	slices.SortFunc(list, compare)
	if list == nil {
		return []T{}
	}
	return list
}

func compareSteps(a, b Step) int {
	if order := CompareChanges(a.Ref, a.Action, b.Ref, b.Action); order != 0 {
		return order
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Digest, b.Digest), a.UpdatedAt.Compare(b.UpdatedAt),
		cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), slices.CompareFunc(a.Reasons, b.Reasons, registry.CompareReasons))
}

func compareHeld(a, b Held) int {
	if order := CompareChanges(a.Ref, a.Action, b.Ref, b.Action); order != 0 {
		return order
	}
	return cmp.Or(cmp.Compare(a.Guard, b.Guard), cmp.Compare(a.Detail, b.Detail), slices.CompareFunc(a.Reasons, b.Reasons, registry.CompareReasons))
}

// CompareChanges is the order of steps and of held entries: by reference, then by
// action.
func CompareChanges(ref string, action Action, otherRef string, otherAction Action) int {
	return cmp.Or(cmp.Compare(ref, otherRef), cmp.Compare(action, otherAction))
}

func compareGaps(a, b registry.Gap) int {
	return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Error, b.Error))
}

func compareImages(a, b PlannedImage) int {
	return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.ID, b.ID))
}
