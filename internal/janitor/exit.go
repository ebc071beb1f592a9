package janitor

import (
	"errors"

	"github.com/registry-janitor/registry-janitor/actions"
)

// The exit codes of the program, which are also how a run of the daemon ended. A
// refusal beats an error or a gap, which beats changes.
const (
	ExitDone       = 0 // also with held deletions, warnings, changed and blocked steps
	ExitIncomplete = 1 // an error, a gap, a policy error, a failed or skipped step
	ExitChanges    = 2 // only with plan --detailed-exitcode: there are steps or deny violations
	ExitRefused    = 3 // a limit refuses the plan
)

// PlanExit returns the exit code of a plan.
func PlanExit(plan *actions.Plan) int {
	switch {
	case plan.Refused():
		return ExitRefused
	case plan.Incomplete():
		return ExitIncomplete
	}
	return ExitDone
}

// applyExit returns the exit code of a run that applied a plan and ended with a cause.
func applyExit(plan *actions.Plan, outcome *actions.Outcome, cause error) int {
	switch {
	case errors.Is(cause, actions.ErrLimit):
		return ExitRefused
	case cause != nil, plan.Incomplete(), outcome != nil && outcome.Incomplete():
		return ExitIncomplete
	}
	return ExitDone
}
