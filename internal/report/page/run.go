package page

import (
	"cmp"
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
	Kept       *keptView
}

// newRunView views a run at a time; zero is that of the run.
func newRunView(run runs.Run, now time.Time) *runView {
	v := &runView{Run: run}
	p := run.Plan
	if p == nil {
		return v
	}
	groups := outline.Of(p)
	v.Filters = newFilters()
	v.Namespaces = v.Filters.namespaces(&run, groups, now)
	v.Held = v.Filters.held(groups)
	v.Violations = v.Filters.violations(p)
	for _, g := range p.Gaps {
		v.Filters.add(homeOf(g.Subject))
	}
	v.Kept = v.Filters.kept(p)
	v.Space = newSpaceView(p, outline.PriceOf(run.Price))
	return v
}

// Applied reports whether the steps of the plan were carried out, as far as that was
// possible.
func (v *runView) Applied() bool {
	return v.Plan != nil && v.Plan.Outcome != nil && len(v.Plan.Outcome.Results) > 0
}

// Headline is the result of the run.
func (v *runView) Headline() string {
	p := v.Plan
	switch {
	case v.Declined:
		return "Declined: nothing was changed"
	case p == nil:
		return "The run failed"
	case v.Applied():
		done := v.done()
		words := outline.Join(outline.As(done.Deletions(), "deleted"), outline.As(done.SetVisibility, "changed"))
		return outline.Join(cmp.Or(words, "Nothing changed"), outline.As(v.undone(), "not done"))
	case p.Refused():
		return "Refused: " + outline.Planned(p.Summary)
	case len(p.Steps) == 0 && p.Incomplete():
		return "Incomplete, and nothing to delete"
	case len(p.Steps) == 0:
		return "Nothing to do"
	case p.Summary.SetVisibility == 0:
		return text.Thousands(p.Summary.Deletions()) + " to delete"
	}
	return outline.Planned(p.Summary)
}

// Kicker is the line above the headline: what the page is about, and of when.
func (v *runView) Kicker() string {
	switch {
	case v.Plan != nil && v.Plan.Forecast:
		return "Forecast for " + text.Moment(v.Plan.TakenAt, v.Zone)
	case v.Kind == runs.KindApply && !v.Began().IsZero():
		return "Apply of " + text.Moment(v.Began(), v.Zone)
	case v.Plan != nil:
		return "Plan of " + text.Moment(v.Plan.TakenAt, v.Zone)
	case v.Started.IsZero():
		return "Run"
	}
	return "Run of " + text.Moment(v.Started, v.Zone)
}

// done counts the steps that were carried out, also by others.
func (v *runView) done() actions.Summary {
	var c actions.Summary
	for _, r := range v.Plan.Outcome.Results {
		if r.Result.Achieved() {
			c.Add(r.Action)
		}
	}
	return c
}

// undone is how many steps were not carried out.
func (v *runView) undone() int {
	n := 0
	for _, r := range v.Plan.Outcome.Results {
		if !r.Result.Achieved() {
			n++
		}
	}
	return n
}

// CallCount is the number of API calls.
func (v *runView) CallCount() int { return int(v.Calls) }

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

// Figures are the totals of the plan, or of what was done.
func (v *runView) Figures() []figure {
	s := v.Plan.Summary
	violations := s.Deny + s.Warn + s.Waived
	list := []figure{
		{s.Deletions(), "to delete", outline.Deleted(s), "alarm", "#steps"},
		{s.SetVisibility, "to change", "who may pull", "change", "#steps"},
	}
	if v.Applied() {
		done, o := v.done(), v.Plan.Outcome
		list = []figure{
			{done.Deletions(), "deleted", outline.Deleted(done), "alarm", "#steps"},
			{done.SetVisibility, "changed", "who may pull", "change", "#steps"},
			{v.undone(), "not done", outline.Join(outline.As(o.Failed, "failed"), outline.As(o.Skipped, "skipped"), outline.As(o.Changed, "changed"), outline.As(o.Blocked, "blocked")), "alarm", "#outcome"},
		}
	}
	list = append(list,
		figure{s.Held, "held", "marked, but kept by a guard", "held", "#held"},
		figure{violations, text.Choose(violations, "violation", "violations"), outline.Join(outline.As(s.Deny, "deny"), outline.As(s.Warn, "warn"), outline.As(s.Waived, "waived")), "held", "#violations"},
		figure{s.Gaps, text.Choose(s.Gaps, "gap", "gaps"), "could not be read or judged", "alarm", "#gaps"},
	)
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
	s, held, word := v.Plan.Summary, heldTags(v.Plan), "to delete"
	deleted, left := s.DeleteTags, 0
	if v.Applied() {
		deleted, word = v.done().DeleteTags, "deleted"
		left = s.DeleteTags - deleted
	}
	kept := s.Tags - s.DeleteTags - held
	if kept < 0 {
		return nil
	}
	return bar(s.Tags,
		part{Name: word, Tone: "alarm", Count: deleted}, part{Name: "not deleted", Tone: "change", Count: left},
		part{Name: "held", Tone: "held", Count: held}, part{Name: "kept", Tone: "kept", Count: kept})
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
