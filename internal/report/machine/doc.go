// Package machine renders a finished run for other programs: a spreadsheet, GitHub
// Actions, code scanning, and whatever reads test results. Each function takes a run
// whose text outline.Clean has made safe.
//
// It must never decide anything, or leave out what its format has a place for.
package machine

import (
	"cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// planOf is the plan of a run; one of a run that failed before it had one is empty.
func planOf(run runs.Run) *actions.Plan { return cmp.Or(run.Plan, &actions.Plan{}) }
