package report

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// outcome says what became of the steps: every one that was not done by its name,
// those that were by their number, since the plan above names them.
func (t *textReport) outcome() {
	o := t.plan.Outcome
	if o == nil || len(o.Results) == 0 && o.Stopped == "" {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, "Outcome"), ": ", outcomeCounts(o))
	if o.Stopped != "" {
		t.line(2, t.in(loud, "STOPPED"), ": ", clean(o.Stopped))
	}
	if len(o.Lost) > 0 {
		t.line(2, t.in(loud, "LOST"), ": ", text.Count(len(o.Lost), "tag"), " that should have stayed are gone: the API deletes more than it is asked to; set shared_digest: protect")
		for _, ref := range o.Lost {
			t.line(4, t.in(red, clean(ref)))
		}
	}
	for _, result := range []actions.Result{
		actions.ResultFailed, actions.ResultBlocked, actions.ResultChanged, actions.ResultGone, actions.ResultSkipped,
	} {
		t.results(result)
	}
}

// results lists the steps with one result, grouped by why.
func (t *textReport) results(result actions.Result) {
	why := map[string][]string{}
	var details []string
	for _, r := range t.plan.Outcome.Results {
		if r.Result != result {
			continue
		}
		if why[r.Detail] == nil {
			details = append(details, r.Detail)
		}
		why[r.Detail] = append(why[r.Detail], string(r.Action)+" "+r.Ref)
	}
	slices.Sort(details)
	for _, detail := range details {
		steps := why[detail]
		style := yellow
		if result == actions.ResultFailed || result == actions.ResultSkipped {
			style = red
		}
		title := t.in(style, string(result)) + " " + text.Count(len(steps), "step")
		if detail != "" {
			title += ": " + clean(detail)
		}
		t.line(2, title)
		for _, step := range steps {
			t.line(4, clean(step))
		}
	}
}

func outcomeCounts(o *actions.Outcome) string {
	var counts []count
	for _, r := range actions.Results() {
		counts = append(counts, count{o.Count(r), string(r)})
	}
	return listed(counts...)
}

// applied is the closing line of a plan that was applied.
func (t *textReport) applied() string {
	o := t.plan.Outcome
	line := "Applied: " + outcomeCounts(o)
	if left := o.Failed + o.Skipped; left > 0 {
		line += "; " + text.Count(left, "step") + " left for the next run"
	}
	return t.in(bold, strings.TrimSpace(line))
}
