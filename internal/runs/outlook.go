package runs

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Outlook is what becomes of an object if nothing in the registry, its uses and the
// configuration changes: its decision at each later time, until it is deleted.
type Outlook struct {
	// Stages follow each other; the first is the present.
	Stages []Stage `json:"stages"`
	// Limit is why the outlook is not all that can be said; "" if it is.
	Limit Limit `json:"limit,omitempty"`
}

// Stage is a time in which the decision about an object stays the same.
type Stage struct {
	From time.Time `json:"from"`
	// Until is when the next stage begins; zero for the last one.
	Until    time.Time `json:"until,omitzero"`
	Decision Decision  `json:"decision"`
	// Guard holds the deletion; "" if no guard does.
	Guard actions.Guard `json:"guard,omitempty"`
	// Reasons are those that keep the object, or else those that mark it, when the stage
	// begins.
	Reasons []registry.Reason `json:"reasons"`
	// Ends is what ends the last stage; "" if that is a date, or nothing.
	Ends End `json:"ends,omitempty"`
}

// MarshalJSON writes the stage with its reasons as the explanation has them.
func (s Stage) MarshalJSON() ([]byte, error) {
	type plain Stage
	s.Reasons = published(s.Reasons)
	return json.Marshal(plain(s))
}

// Decision is what a plan would do with an object.
type Decision string

// The decisions.
const (
	Deleted  Decision = "deleted"  // the plan has the step
	Held     Decision = "held"     // a guard holds it
	Kept     Decision = "kept"     // a rule keeps it
	Unmarked Decision = "unmarked" // no rule asks for the deletion
)

// End is what ends a stage that has no date.
type End string

// The ends.
const (
	// EndPushes: pushes of newer tags take its place.
	EndPushes End = "pushes"
	// EndRules: only another configuration does.
	EndRules End = "configuration"
	// EndUses: it is in use until its user is gone.
	EndUses End = "uses"
	// EndOwn: a rule of the operator's own Rego decides.
	EndOwn End = "own_policies"
	// EndOthers: other tags of the image hold it.
	EndOthers End = "other_tags"
	// EndRuns: it has to have been marked for the grace, as plans with the ledger see it.
	EndRuns End = "runs"
	// EndStatus: what could not be read or judged, or is not ready, holds it.
	EndStatus End = "status"
)

// Limit is why an outlook is incomplete.
type Limit string

// The limits.
const (
	// LimitOwn: the operator's own Rego can decide otherwise at any time.
	LimitOwn Limit = "own_policies"
	// LimitSize: the image has too many tags to look at every time.
	LimitSize Limit = "size"
)

// Decision is what the plan does with the object now.
func (e *Explanation) Decision() Stage {
	s := Stage{Decision: Unmarked, Reasons: []registry.Reason{}}
	if e.Plan == nil {
		return s
	}
	s.From = e.Plan.TakenAt
	ref := e.Ref.String()
	if i := slices.IndexFunc(e.Plan.Steps, func(x actions.Step) bool { return x.Ref == ref && x.Action.Deletes() }); i >= 0 {
		s.Decision, s.Reasons = Deleted, e.Plan.Steps[i].Reasons
		return s
	}
	if i := slices.IndexFunc(e.Plan.Held, func(x actions.Held) bool { return x.Ref == ref && x.Action.Deletes() }); i >= 0 {
		s.Decision, s.Guard, s.Reasons = Held, e.Plan.Held[i].Guard, e.Plan.Held[i].Reasons
		return s
	}
	if _, keep := e.Reasons(); len(keep) > 0 {
		s.Decision, s.Reasons = Kept, keep
	}
	return s
}
