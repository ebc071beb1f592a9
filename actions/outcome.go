package actions

import (
	"fmt"
	"time"
)

// Outcome is what became of every step of a plan that was applied.
//
// The order of the fields is the order of the JSON.
type Outcome struct {
	Results []StepResult `json:"results"` // one for each step, in the order of the steps
	Done    int          `json:"done"`
	Gone    int          `json:"gone"`
	Changed int          `json:"changed"`
	Blocked int          `json:"blocked"`
	Failed  int          `json:"failed"`
	Skipped int          `json:"skipped"`
	// Stopped says why the run ended before every step had been tried; "" when it
	// did not.
	Stopped string `json:"stopped,omitempty"`
	// Lost are the references of tags that stay, or that the run had left alone, and
	// that were not there any more when it looked again: the worst that a run can
	// report.
	Lost []string `json:"lost,omitempty"`
}

// Incomplete says whether something is left that the plan wanted and that nobody
// decided against: a failed or skipped step, or a run that was stopped.
func (o *Outcome) Incomplete() bool {
	return o.Failed > 0 || o.Skipped > 0 || o.Stopped != "" || len(o.Lost) > 0
}

// StepResult is what became of one step.
type StepResult struct {
	Ref    string `json:"ref"`
	Action Action `json:"action"`
	Result Result `json:"result"`
	// Detail says why, in words for the operator; "" where the result says it all.
	Detail string `json:"detail"`

	// At is when the result was known; it is zero in an outcome that was read from
	// a file.
	At time.Time `json:"-"`
}

// Result is what can become of a step.
type Result string

// The results. Only what was confirmed counts as done.
const (
	// ResultDone: it was changed, and reading it afterwards confirms that.
	ResultDone Result = "done"
	// ResultGone: the object was gone before this run could delete it.
	ResultGone Result = "gone"
	// ResultChanged: the object, or what it is in, is not what was judged, and was
	// left alone.
	ResultChanged Result = "changed"
	// ResultBlocked: the API, or a tag that stays, forbids it.
	ResultBlocked Result = "blocked"
	// ResultFailed: it was tried, or its precondition was, and is not confirmed.
	ResultFailed Result = "failed"
	// ResultSkipped: it was not tried.
	ResultSkipped Result = "skipped"
)

// Results lists the results in the order in which they are counted.
func Results() []Result {
	return []Result{ResultDone, ResultGone, ResultChanged, ResultBlocked, ResultFailed, ResultSkipped}
}

// NewOutcome counts the results of a run.
func NewOutcome(results []StepResult) (*Outcome, error) {
	o := &Outcome{Results: results}
	return o, o.count()
}

// Count is how many steps have a result.
func (o *Outcome) Count(r Result) int {
	if n := o.counter(r); n != nil {
		return *n
	}
	return 0
}

func (o *Outcome) counter(r Result) *int {
	switch r {
	case ResultDone:
		return &o.Done
	case ResultGone:
		return &o.Gone
	case ResultChanged:
		return &o.Changed
	case ResultBlocked:
		return &o.Blocked
	case ResultFailed:
		return &o.Failed
	case ResultSkipped:
		return &o.Skipped
	default:
		return nil
	}
}

// count counts the results anew.
func (o *Outcome) count() error {
	for _, r := range Results() {
		*o.counter(r) = 0
	}
	for i := range o.Results {
		n := o.counter(o.Results[i].Result)
		if n == nil {
			return fmt.Errorf("results[%d] (%s): result %q is unknown", i, o.Results[i].Ref, o.Results[i].Result)
		}
		*n++
	}
	return nil
}

// checkOutcome verifies that an outcome is one of this plan and counts what it
// holds. It is not covered by the plan's id.
func checkOutcome(p *Plan) error {
	o := p.Outcome
	if o == nil {
		return nil
	}
	counted := Outcome{Results: o.Results}
	if err := counted.count(); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	for _, r := range Results() {
		if counted.Count(r) != o.Count(r) {
			return fmt.Errorf("outcome: %q counts %d, the results hold %d", r, o.Count(r), counted.Count(r))
		}
	}
	if len(o.Results) != len(p.Steps) {
		return fmt.Errorf("outcome: it has %d results for %d steps", len(o.Results), len(p.Steps))
	}
	for i := range o.Results {
		if r, s := &o.Results[i], &p.Steps[i]; r.Ref != s.Ref || r.Action != s.Action {
			return fmt.Errorf("outcome: results[%d] (%s) is not that of steps[%d] (%s)", i, r.Ref, i, s.Ref)
		}
	}
	return nil
}
