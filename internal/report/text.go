package report

import (
	"io"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// writeText writes the run for a terminal: what was judged, then namespace by
// namespace what is deleted, changed and held, every tag by its name, then
// violations, gaps and refusals, and one line with the totals. Color adds nothing
// that the words do not say.
func writeText(w io.Writer, run runs.Run, o TextOptions) error {
	t := &textReport{printer: newPrinter(w, o), plan: run.Plan}
	t.header()
	for _, ns := range outline.Of(run.Plan) {
		t.namespace(ns)
	}
	t.violations()
	t.gaps()
	t.refusals()
	t.outcome()
	t.line(0)
	t.line(0, t.in(bold, summaryOf(run.Plan)))
	if o := run.Plan.Outcome; o != nil && len(o.Results) > 0 {
		t.line(0, t.in(bold, appliedOf(o)))
	}
	t.footer(run)
	return t.w.Flush()
}

type textReport struct {
	*printer
	plan *actions.Plan
}

func (t *textReport) header() {
	p := t.plan
	t.line(0, t.in(bold, "Plan of "+outline.Moment(p.TakenAt)), ": judged ", outline.Judged(p))
	if p.ID != "" {
		t.line(0, t.in(dim, p.ID))
	}
	if p.Forecast {
		t.line(0)
		t.line(0, t.in(loud, "FORECAST"), ": judged as if it were ", outline.Moment(p.TakenAt), ". A forecast is never applied.")
	}
	if n := len(p.Gaps); n > 0 {
		t.line(0)
		t.line(0, t.in(loud, "INCOMPLETE"), ": ", text.Count(n, "gap"), ", listed below. ", onHold)
	}
}

// onHold is what gaps lead to.
const onHold = "Deletions that the unread data might have prevented are on hold."

func (t *textReport) violations() {
	if len(t.plan.Violations) == 0 {
		return
	}
	s := t.plan.Summary
	t.line(0)
	t.line(0, t.in(bold, "Violations"), ": ", outline.Join(outline.As(s.Deny, "deny"), outline.As(s.Warn, "warn")))
	list := outline.Violations(t.plan)
	for i, v := range list {
		if i == 0 || v.Severity != list[i-1].Severity || v.Rule != list[i-1].Rule || v.Source != list[i-1].Source {
			t.line(2, t.in(severityStyle(v.Severity), string(v.Severity)), " ", outline.Rule(v.Reason))
		}
		t.line(4, v.Ref, ": ", v.Text)
	}
}

func severityStyle(s registry.Severity) paint {
	if s == registry.Deny {
		return red
	}
	return yellow
}

func (t *textReport) gaps() {
	if len(t.plan.Gaps) == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(loud, "GAPS"), ": ", text.Count(len(t.plan.Gaps), "thing"), " could not be read or judged, so the plan is incomplete")
	for _, g := range t.plan.Gaps {
		t.line(2, t.in(red, g.Subject))
		t.line(4, g.Error)
	}
}

func (t *textReport) refusals() {
	if !t.plan.Refused() {
		return
	}
	t.line(0)
	t.line(0, t.in(loud, "REFUSED"), ": the plan exceeds its limits, so no step of it may be applied")
	for _, r := range t.plan.Refusals {
		t.line(2, t.in(red, r.Limit), ": ", r.Detail)
	}
}

// summaryOf is the closing line of a plan.
func summaryOf(p *actions.Plan) string {
	found := rest(p.Summary)
	switch {
	case len(p.Steps) > 0 && found != "":
		return "Plan: " + outline.Planned(p.Summary) + ", " + found
	case len(p.Steps) > 0:
		return "Plan: " + outline.Planned(p.Summary)
	case found != "":
		return "Nothing to do: " + found
	}
	return "Nothing to do: no rule marks anything for deletion, and nothing violates a policy"
}

// rest counts what a plan has besides its steps.
func rest(s actions.Summary) string {
	return outline.Join(outline.As(s.Held, "held"), outline.As(s.Deny, "deny"),
		outline.As(s.Warn, "warn"), outline.Things(s.Gaps, "gap"))
}

func (t *textReport) footer(run runs.Run) {
	if facts := effort(run); len(facts) > 0 {
		t.line(0, t.in(dim, "It took "+strings.Join(facts, " and ")))
	}
}

// effort is how long a run took, and how many calls.
func effort(run runs.Run) []string {
	var facts []string
	if run.Duration > 0 {
		facts = append(facts, run.Duration.Round(10*time.Millisecond).String())
	}
	if run.Calls > 0 {
		facts = append(facts, text.Count(int(run.Calls), "API call"))
	}
	return facts
}
