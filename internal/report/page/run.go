package page

import (
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// runView is a run with its plan in the order of the page.
type runView struct {
	runs.Run
	Filters    *filters
	Namespaces []*namespaceView
	Held       []*guardView
	Violations []*findingView
	Space      *spaceView
}

func newRunView(run runs.Run) *runView {
	v := &runView{Run: run}
	p := run.Plan
	if p == nil {
		return v
	}
	groups := outline.Of(p)
	v.Filters = newFilters()
	v.Namespaces = v.Filters.namespaces(p, groups)
	v.Held = v.Filters.held(groups)
	v.Violations = v.Filters.violations(p)
	for _, g := range p.Gaps {
		v.Filters.add(homeOf(g.Subject))
	}
	v.Space = newSpaceView(p, priceOrDefault(run.Price))
	return v
}

// Headline is the result of the run.
func (v *runView) Headline() string {
	p := v.Plan
	switch {
	case p == nil:
		return "The run failed"
	case p.Outcome != nil && len(p.Outcome.Results) > 0:
		return "Applied: " + outline.Counts(p.Outcome)
	case len(p.Steps) == 0:
		return "Nothing to do"
	case p.Refused():
		return "Refused: " + outline.Planned(p.Summary)
	case p.Summary.SetVisibility == 0:
		return text.Thousands(p.Summary.Deletions()) + " to delete"
	}
	return outline.Planned(p.Summary)
}

// Kicker is the line above the headline: what the page is about, and of when.
func (v *runView) Kicker() string {
	switch {
	case v.Plan != nil && v.Plan.Forecast:
		return "Forecast for " + v.Moment(v.Plan.TakenAt)
	case v.Plan != nil:
		return "Plan of " + v.Moment(v.Plan.TakenAt)
	case v.Started.IsZero():
		return "Run"
	}
	return "Run of " + v.Moment(v.Started)
}

// Moment is a time in the zone of the run.
func (v *runView) Moment(at time.Time) string { return text.Moment(at, v.Zone) }

// Listed reports whether the lists have any row to filter.
func (v *runView) Listed() bool {
	p := v.Plan
	return len(p.Steps)+len(p.Held)+len(p.Violations)+len(p.Gaps) > 0
}

// figure is a number with its name.
type figure struct {
	Value                  int
	Name, Note, Tone, Link string
}

// Figures are the totals of the plan.
func (v *runView) Figures() []figure {
	s := v.Plan.Summary
	violations := s.Deny + s.Warn
	list := []figure{
		{s.Deletions(), "to delete", outline.Deleted(s), "alarm", "#steps"},
		{s.SetVisibility, "to change", "who may pull", "change", "#steps"},
		{s.Held, "held", "marked, but kept by a guard", "held", "#held"},
		{violations, text.Choose(violations, "violation", "violations"), outline.Join(outline.As(s.Deny, "deny"), outline.As(s.Warn, "warn")), "held", "#violations"},
		{s.Gaps, text.Choose(s.Gaps, "gap", "gaps"), "could not be read or judged", "alarm", "#gaps"},
	}
	for i := range list {
		if list[i].Value == 0 {
			list[i].Tone = "none"
		}
	}
	return list
}

// part is a piece of a bar.
type part struct {
	Name, Tone string
	Count      int
	X, Width   string
}

// bar lays out the parts that are not empty.
func bar(whole int, parts ...part) []part {
	var out []part
	at := 0.0
	for _, p := range parts {
		if p.Count > 0 && whole > 0 {
			width := 100 * float64(p.Count) / float64(whole)
			p.X, p.Width = percent(at), percent(width)
			out = append(out, p)
			at += width
		}
	}
	return out
}

// Balance divides the tags into those that are deleted, held, and kept. Held tags
// are counted by their references: a held deletion of an image is not a tag.
func (v *runView) Balance() []part {
	s, held := v.Plan.Summary, 0
	for i := range v.Plan.Held {
		if v.Plan.Held[i].Action == actions.DeleteTag {
			held++
		}
	}
	kept := s.Tags - s.DeleteTags - held
	if kept < 0 {
		return nil
	}
	return bar(s.Tags, part{Name: "to delete", Tone: "alarm", Count: s.DeleteTags}, part{Name: "held", Tone: "held", Count: held}, part{Name: "kept", Tone: "kept", Count: kept})
}

// Results divides the steps by their results.
func (v *runView) Results() []part {
	var parts []part
	for _, r := range actions.Results() {
		n := v.Plan.Outcome.Count(r)
		parts = append(parts, part{Name: string(r), Tone: resultTone(r, n), Count: n})
	}
	return bar(len(v.Plan.Outcome.Results), parts...)
}
