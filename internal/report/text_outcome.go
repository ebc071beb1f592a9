package report

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// outcome is what became of the steps: every one that was not done by its name,
// those that were by their number, since the plan above names them.
func (t *textReport) outcome() {
	o := t.plan.Outcome
	if o == nil || len(o.Results) == 0 && o.Stopped == "" {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, "Outcome"), ": ", outline.Counts(o))
	if o.Stopped != "" {
		t.line(2, t.in(loud, "STOPPED"), ": ", o.Stopped)
	}
	if len(o.Lost) > 0 {
		t.line(2, t.in(loud, "LOST"), ": ", lostWords(o), ". Set shared_digest: protect")
		for _, ref := range o.Lost {
			t.line(4, t.in(red, ref))
		}
	}
	for _, result := range []actions.Result{
		actions.ResultFailed, actions.ResultBlocked, actions.ResultChanged, actions.ResultGone, actions.ResultSkipped,
	} {
		t.results(result)
	}
}

// lostWords are how many tags should have been kept, and what deleted them.
func lostWords(o *actions.Outcome) string {
	n := len(o.Lost)
	return text.Count(n, "tag") + " that should have been kept " + text.Choose(n, "is", "are") + " gone: the API deletes more than the request names"
}

// results lists the steps with one result, grouped by why.
func (t *textReport) results(result actions.Result) {
	style := yellow
	if result == actions.ResultFailed || result == actions.ResultSkipped {
		style = red
	}
	for _, a := range outline.Results(t.plan.Outcome, result) {
		title := t.in(style, string(result)) + " " + text.Count(len(a.Entries), "step")
		if detail := a.First().Detail; detail != "" {
			title += ": " + detail
		}
		t.line(2, title)
		for _, r := range a.Entries {
			t.line(4, string(r.Action), " ", r.Ref)
		}
	}
}

// appliedOf is the closing line of a plan that was applied.
func appliedOf(o *actions.Outcome) string {
	line := "Applied: " + outline.Counts(o)
	if left := o.Failed + o.Skipped; left > 0 {
		line += "; " + text.Count(left, "step") + " left for the next run"
	}
	return line
}
