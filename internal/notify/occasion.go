package notify

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Occasion is a kind of event in a run that causes a message.
type Occasion string

// The occasions.
const (
	// OnFailure: the run ended with an error or was stopped, a step failed or was
	// skipped, or a tag was lost.
	OnFailure Occasion = "failure"
	// OnRefused: a limit refuses the plan.
	OnRefused Occasion = "refused"
	// OnGap: something could not be read or judged.
	OnGap Occasion = "gap"
	// OnViolation: something violates a policy with severity deny.
	OnViolation Occasion = "violation"
	// OnWaiver: a waiver ends soon, or has ended.
	OnWaiver Occasion = "waiver"
	// OnDeleted: something was deleted.
	OnDeleted Occasion = "deleted"
	// OnVisibility: a visibility was changed.
	OnVisibility Occasion = "visibility"
	// OnPlanned: the plan of a run that only plans has steps.
	OnPlanned Occasion = "planned"
)

// Occasions lists all of them.
func Occasions() []Occasion {
	return []Occasion{OnFailure, OnRefused, OnGap, OnViolation, OnWaiver, OnDeleted, OnVisibility, OnPlanned}
}

// DefaultOn are the occasions of a notification that names none: all except
// OnPlanned.
func DefaultOn() []Occasion {
	return []Occasion{OnFailure, OnRefused, OnGap, OnViolation, OnWaiver, OnDeleted, OnVisibility}
}

// occurrence is an occasion in a run.
type occurrence struct {
	occasion Occasion
	// cases distinguish one occurrence from another: the same gap, the same violation. nil is
	// news in every run.
	cases []string
}

// occurrences are the occasions in a run; the waivers are those of the owners, or all
// without any.
func occurrences(run runs.Run, owners []string) []occurrence {
	var out []occurrence
	add := func(occasion Occasion, cases []string) {
		if len(cases) > 0 {
			out = append(out, occurrence{occasion, cases})
		}
	}
	add(OnFailure, failures(run))
	p := run.Plan
	if p == nil {
		return out
	}
	// The limits, not by how much they are exceeded: that number differs in every run.
	add(OnRefused, list(p.Refusals, func(r actions.Refusal) string { return r.Limit }))
	add(OnGap, gaps(p))
	add(OnViolation, denied(p))
	add(OnWaiver, list(endingWaivers(p, owners), caseOf))
	switch {
	case p.Outcome == nil && run.Kind != runs.KindApply: // an apply run without outcome was refused
		add(OnPlanned, list(p.Steps, func(s actions.Step) string { return string(s.Action) + " " + s.Ref }))
	case p.Outcome != nil:
		done := func(deletes bool) bool {
			return slices.ContainsFunc(p.Outcome.Results, func(r actions.StepResult) bool {
				return r.Result == actions.ResultDone && r.Action.Deletes() == deletes
			})
		}
		if done(true) {
			out = append(out, occurrence{occasion: OnDeleted})
		}
		if done(false) {
			out = append(out, occurrence{occasion: OnVisibility})
		}
	}
	return out
}

func list[T any](all []T, name func(T) string) []string {
	var out []string
	for _, one := range all {
		out = append(out, name(one))
	}
	return out
}

func failures(run runs.Run) []string {
	var cases []string
	if run.Error != "" || run.Plan == nil {
		cases = append(cases, "error "+run.Error)
	}
	if run.Plan == nil || run.Plan.Outcome == nil {
		return cases
	}
	o := run.Plan.Outcome
	if o.Stopped != "" {
		cases = append(cases, "stopped "+o.Stopped)
	}
	for _, ref := range o.Lost {
		cases = append(cases, "lost "+ref)
	}
	for _, r := range o.Results {
		if r.Result == actions.ResultFailed || r.Result == actions.ResultSkipped {
			cases = append(cases, string(r.Result)+" "+string(r.Action)+" "+r.Ref)
		}
	}
	return cases
}

func gaps(p *actions.Plan) []string {
	cases := list(p.Gaps, func(g registry.Gap) string { return "gap " + g.Subject })
	for _, h := range p.Held {
		if h.Guard == actions.GuardPolicyError {
			cases = append(cases, "policy error "+h.Ref)
		}
	}
	return cases
}

func denied(p *actions.Plan) []string {
	var cases []string
	for _, v := range p.Violations {
		if v.Severity == registry.Deny {
			cases = append(cases, caseOf(v))
		}
	}
	return cases
}

func caseOf(v registry.Violation) string {
	return strings.Join([]string{v.Rule, v.Ref, v.Text}, "\x00")
}

// endingWaivers are the violations by waivers of the owners that end soon, or have ended;
// those of all waivers without owners.
func endingWaivers(p *actions.Plan, owners []string) []registry.Violation {
	var out []registry.Violation
	for _, v := range p.Violations {
		if v.Owner != "" && v.Severity != registry.Waived && (len(owners) == 0 || slices.Contains(owners, v.Owner)) {
			out = append(out, v)
		}
	}
	return out
}
