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
	// Stopped is why the run ended before every step had been tried; "" when it did
	// not.
	Stopped string `json:"stopped,omitempty"`
	// Lost are the references of tags that the plan keeps, or that the run left alone,
	// and that no longer existed when it read them again: the worst that a run can
	// report.
	Lost []string `json:"lost,omitempty"`
}

// Incomplete reports whether something that the plan wanted was not done for no
// good reason: a failed or skipped step, or a run that was stopped.
func (o *Outcome) Incomplete() bool {
	return o.Failed > 0 || o.Skipped > 0 || o.Stopped != "" || len(o.Lost) > 0
}

// StepResult is what became of one step.
type StepResult struct {
	Ref    string `json:"ref"`
	Action Action `json:"action"`
	Result Result `json:"result"`
	// Detail is the why, in words for the operator; "" where the result needs none.
	Detail string `json:"detail"`
	// Archived is the copy of the tag that was made for its deletion, also if that did not
	// follow; nil without one.
	Archived *Archived `json:"archived,omitempty"`
	// Uncopied is why a tag could not be archived that was deleted all the same, or may have
	// been: only where archive.required is false.
	Uncopied string `json:"uncopied,omitempty"`

	// At is when the result was known; it is zero in an outcome that was read from
	// a file.
	At time.Time `json:"-"`
}

// Archived is a verified copy of what a tag held, from which it can be restored.
type Archived struct {
	To    string    `json:"to"`    // the archive, as archive.to of the configuration names it
	Until time.Time `json:"until"` // when the copy may be purged
}

// WithoutCopy begins, in the detail of a result, why there is no copy of a deleted tag.
const WithoutCopy = "no copy was made: "

// UncopiedError is why there is no copy of a tag that may be deleted without one.
type UncopiedError struct{ Err error }

func (e *UncopiedError) Error() string { return e.Err.Error() }

func (e *UncopiedError) Unwrap() error { return e.Err }

// Result is what became of a step.
type Result string

// The results. Only a confirmed change is done.
const (
	// ResultDone: the change was made, and reading the object confirmed it.
	ResultDone Result = "done"
	// ResultGone: the object was gone before this run could delete it.
	ResultGone Result = "gone"
	// ResultChanged: the object, or its image or namespace, is not as it was judged,
	// and was left alone.
	ResultChanged Result = "changed"
	// ResultBlocked: the API, or a tag that is kept, prevents it.
	ResultBlocked Result = "blocked"
	// ResultFailed: the change or its preparation was tried, and is not confirmed.
	ResultFailed Result = "failed"
	// ResultSkipped: it was not tried.
	ResultSkipped Result = "skipped"
)

// Achieved reports whether the object is as the step wants it: by this run, or before it.
func (r Result) Achieved() bool { return r == ResultDone || r == ResultGone }

// Results lists the results in the order in which they are counted.
func Results() []Result {
	return []Result{ResultDone, ResultGone, ResultChanged, ResultBlocked, ResultFailed, ResultSkipped}
}

// NewOutcome counts the results of a run.
func NewOutcome(results []StepResult) (*Outcome, error) {
	o := &Outcome{Results: results}
	return o, o.count()
}

// Count is the number of steps with this result.
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

// count counts the results again.
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

// checkOutcome verifies that the outcome belongs to the steps of the plan, and that
// its counts are right. The id of the plan does not cover it.
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
			return fmt.Errorf("outcome: %q is %d, but the results have %d", r, o.Count(r), counted.Count(r))
		}
	}
	if len(o.Results) != len(p.Steps) {
		return fmt.Errorf("outcome: it has %d results for %d steps", len(o.Results), len(p.Steps))
	}
	for i := range o.Results {
		if r, s := &o.Results[i], &p.Steps[i]; r.Ref != s.Ref || r.Action != s.Action {
			return fmt.Errorf("outcome: results[%d] (%s) does not belong to steps[%d] (%s)", i, r.Ref, i, s.Ref)
		}
	}
	return nil
}
