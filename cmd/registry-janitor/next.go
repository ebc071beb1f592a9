package main

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// afterPlan is what to do with a plan.
func afterPlan(f *planFlags, run runs.Run, c *config.Config) []string {
	p := run.Plan
	if p == nil {
		return nil
	}
	var lines []string
	if c.Archive != nil && p.Summary.DeleteTags > 0 {
		lines = append(lines, undoing(c, p))
	}
	saved := f.out != "" && !terminal.IsStdout(f.out)
	switch {
	case saved && p.Forecast:
		return []string{"The forecast is in " + f.out + ". It is never applied."}
	case saved:
		lines = append(lines, "The plan is in "+f.out+".")
	}
	switch {
	case len(p.Steps) == 0, p.Refused(), p.Forecast:
		return lines
	case saved:
		if c.Approvals != nil {
			lines = append(lines, fmt.Sprintf("It needs %s. Each approver signs it:  %s", text.Count(c.Approvals.Required, "approval"), f.Again("approve", f.out)))
		}
		return append(lines, "To apply exactly this plan:  "+f.Again("apply", f.out))
	case f.Inventory != "" || f.out != "":
		return lines
	case c.Approvals != nil:
		return append(lines, fmt.Sprintf("Nothing was changed. The plan needs %s: save it with -o plan.json, so that it can be signed.", text.Count(c.Approvals.Required, "approval")))
	}
	return append(lines, "Nothing was changed. To apply exactly this plan, save it with -o plan.json first.",
		"To make a plan, read it and apply it:  "+f.Again("apply"))
}

// afterApply is where a run that applied is recorded, and what is left to do.
func afterApply(f *applyFlags, run runs.Run, recorded recorder.Place) []string {
	if run.Plan == nil || run.Plan.Outcome == nil || recorded.Run == "" {
		return nil
	}
	show := []string{"history", "show", recorded.Run}
	if f.stateDir != "" && recorded.InStateDir {
		show = append(show, "--state-dir", f.stateDir)
	}
	lines := []string{fmt.Sprintf("Every step is recorded as run %s in %s:  %s", recorded.Run, recorded.Ledger, f.Again(show...))}
	if copied, deleted := copiedIn(run.Plan); copied > 0 {
		tags := text.Count(deleted, "tag")
		if copied < deleted {
			tags = text.Thousands(copied) + " of " + tags
		}
		restore := append([]string{"restore", recorded.Run}, show[3:]...)
		lines = append(lines, fmt.Sprintf("To bring back what it deleted (%s):  %s", tags, f.Again(restore...)))
	}
	if o := run.Plan.Outcome; o.Failed+o.Skipped > 0 {
		lines = append(lines, "What is left is planned again by:  "+f.Again("apply"))
	}
	return lines
}

// again returns commands that read the same configuration and the same ledger.
func again(file, stateDir string, c *config.Config) func(args ...string) string {
	return func(args ...string) string {
		if stateDir != "" && c.LedgerDSN() == "" {
			args = append(args, "--state-dir", stateDir)
		}
		return (&inputs.Flags{Config: file}).Again(args...)
	}
}

// copiedIn is how many tags restore brings back of a run, and of how many that it deleted, or
// that went along with another of their digest. What another client had deleted is not among them.
func copiedIn(p *actions.Plan) (copied, deleted int) {
	done := map[actions.ImageDigest]bool{}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action == actions.DeleteTag && p.Outcome.Results[i].Result == actions.ResultDone {
			done[s.ImageDigest()] = true
		}
	}
	for i := range p.Steps {
		s, r := &p.Steps[i], &p.Outcome.Results[i]
		if s.Action != actions.DeleteTag || !r.Result.Achieved() || r.Archived == nil && r.Uncopied == "" && !done[s.ImageDigest()] {
			continue
		}
		if deleted++; r.Archived != nil {
			copied++
		}
	}
	return copied, deleted
}
