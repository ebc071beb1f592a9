package report

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// findingView is what violates one rule.
type findingView struct {
	Severity, Rule, Place string
	Count                 int
	Sets                  []*setView // by namespace
}

// violations are grouped by severity and rule.
func (f *filterView) violations(p *actions.Plan) []*findingView {
	list := slices.Clone(p.Violations)
	slices.SortStableFunc(list, func(a, b registry.Violation) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Ref, b.Ref))
	})
	var out []*findingView
	for _, part := range groupBy(list, func(v registry.Violation) string {
		return string(v.Severity) + "\x00" + v.Rule + "\x00" + v.Source + "\x00" + v.CustomSeverity
	}) {
		first := &part.entries[0]
		v := &findingView{
			Severity: clean(string(first.Severity)), Rule: clean(first.Rule), Count: len(part.entries),
			Place: clean(place(first.Source, first.CustomSeverity)),
		}
		for _, of := range groupBy(part.entries, func(v registry.Violation) string { return homeOf(v.Ref).String() }) {
			home := homeOf(of.entries[0].Ref)
			set := &setView{Region: clean(string(home.Region)), Namespace: clean(home.Namespace), Rules: f.numbers(first.Rule)}
			rows := make([]rowView, len(of.entries))
			for i := range of.entries {
				rows[i] = rowView{Name: clean(of.entries[i].Ref), Note: clean(of.entries[i].Text)}
			}
			v.Sets = append(v.Sets, set.fill(rows))
		}
		out = append(out, v)
	}
	return out
}

// homeOf is the namespace of a reference, and nothing where it is none.
func homeOf(s string) registry.Ref {
	ref, err := registry.ParseRef(s)
	if err != nil {
		return registry.Ref{}
	}
	return ref.WithoutImage()
}

// gapView is something that could not be read or judged.
type gapView struct{ Region, Namespace, Subject, Error string }

func gapsOf(p *actions.Plan) []*gapView {
	out := make([]*gapView, len(p.Gaps))
	for i, g := range p.Gaps {
		home := homeOf(g.Subject)
		out[i] = &gapView{clean(string(home.Region)), clean(home.Namespace), clean(g.Subject), clean(g.Error)}
	}
	return out
}

// outcomeView is what became of the steps.
type outcomeView struct {
	Counts []resultCount
	Bar    []barPart
	Groups []*resultView // of what was not simply done
}

// resultCount is how many steps had a result.
type resultCount struct {
	Result, Words, Tone string
	Count               int
}

// resultView is the steps with one result and one explanation.
type resultView struct {
	Result, Detail string
	Count          int
	Lists          [][]string
}

func newOutcomeView(p *actions.Plan) *outcomeView {
	o := p.Outcome
	if o == nil || len(o.Results) == 0 && o.Stopped == "" {
		return nil
	}
	v := &outcomeView{}
	for _, r := range actions.Results() {
		v.Counts = append(v.Counts, resultCount{string(r), resultWords(r), resultTone(r, o.Count(r)), o.Count(r)})
		if r == actions.ResultDone {
			continue
		}
		v.Groups = append(v.Groups, resultGroups(o, r)...)
	}
	v.Bar = barParts(v.Counts, len(o.Results))
	return v
}

func resultTone(r actions.Result, n int) string {
	switch {
	case n == 0:
		return "none"
	case r == actions.ResultDone || r == actions.ResultGone:
		return "fine"
	case r == actions.ResultFailed || r == actions.ResultSkipped:
		return "goes"
	default:
		return "held"
	}
}

func resultGroups(o *actions.Outcome, result actions.Result) []*resultView {
	var of []actions.StepResult
	for _, r := range o.Results {
		if r.Result == result {
			of = append(of, r)
		}
	}
	slices.SortStableFunc(of, func(a, b actions.StepResult) int { return cmp.Compare(a.Detail, b.Detail) })
	var out []*resultView
	for _, g := range groupBy(of, func(r actions.StepResult) string { return r.Detail }) {
		v := &resultView{Result: clean(string(result)), Detail: clean(g.entries[0].Detail), Count: len(g.entries)}
		steps := make([]string, len(g.entries))
		for i, r := range g.entries {
			steps[i] = actionInWords(r.Action) + " " + clean(r.Ref)
		}
		v.Lists = slices.Collect(slices.Chunk(steps, rowsAList))
		out = append(out, v)
	}
	return out
}

// parts lays counts side by side in a bar.
func barParts(counts []resultCount, whole int) []barPart {
	var bar []barPart
	at := 0.0
	for _, c := range counts {
		if c.Count > 0 && whole > 0 {
			width := 100 * float64(c.Count) / float64(whole)
			bar = append(bar, barPart{Name: c.Result, Tone: c.Tone, Count: c.Count, X: percent(at), Width: percent(width)})
			at += width
		}
	}
	return bar
}

// barPart is one piece of a bar.
type barPart struct {
	Name, Tone string
	Count      int
	X, Width   string
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + "%" }
