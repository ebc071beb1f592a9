package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	runFlags
	plan        string // the file; "" makes a plan
	signatures  []string
	yes         bool
	stateDir    string
	lockTimeout time.Duration
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply -c FILE [PLAN.json]",
		Short: "Carry out a saved plan, or make a plan and carry it out",
		Long: `Carry out exactly the plan in PLAN.json, or make a plan and carry it out.

Before anything is changed, the plan is shown and you are asked; --yes skips both,
for schedules and CI. Afterwards the text has the results that differ from done and
the counts; "history show" and the other formats have every step. Each image is
listed and judged again: a step is sent only if the policies in force plan it on a
reading at most two seconds old, it is recorded before it is sent, and a later
reading confirms it. Objects that have changed since the plan was made are left
alone.

If the configuration has approvals, PLAN.json is needed, and enough people must have
signed it: in PLAN.json.sig, PLAN.json.NAME.sig or a --signature FILE, or in the
ledger; see approve --help.

With --at-most N, only the N oldest deletions are planned and made, so that a first
cleanup that the limits refuse can be made in slices; see plan --help.

Exit codes: 0 done; 1 an error, something could not be read or judged, or a step
failed or was skipped; 3 a limit refuses the plan, and nothing is changed.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.plan = args[0]
			}
			// A terminal that closes ends the run as Ctrl-C does: what was sent is confirmed.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			return a.observed(ctx, &f.metrics, runs.KindApply, func() error { return a.apply(ctx, &f) })
		},
	}
	f.AddAPI(cmd)
	f.runFlags.add(cmd, "what to print")
	cmd.Flags().StringArrayVar(&f.signatures, "signature", nil, "a `FILE` with an SSH signature of PLAN.json, beside PLAN.json.sig and PLAN.json.NAME.sig; can be repeated")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask for confirmation")
	addStateDir(cmd.Flags(), &f.stateDir)
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for another run to end")
	return cmd
}

func (a *app) apply(ctx context.Context, f *applyFlags) error {
	if f.plan != "" && f.atMost > 0 {
		return fmt.Errorf("--at-most has no effect with a saved plan, which is carried out as it is: make the plan with plan --at-most %d -o %s", f.atMost, f.plan)
	}
	if !f.yes && !terminal.IsTerminal(a.Stdin) {
		return errors.New("standard input is not a terminal, so apply cannot ask for confirmation: read the plan first, then pass --yes")
	}
	s, err := a.Open(ctx, &f.Flags)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := admission.Saved(s.Planner.Config, f.plan != ""); err != nil {
		return err
	}
	f.tell(s.Planner)
	f.again = again(f.Config, f.stateDir, s.Planner.Config)
	work, err := a.applyRun(ctx, f, s)
	if err != nil {
		return err
	}
	notify, err := a.notifier(s)
	if err != nil {
		return err
	}
	stop := a.ShowProgress(s.Planner.Progress)
	if ask := work.Ask; ask != nil {
		work.Ask = func(plan *actions.Plan) error {
			stop()
			defer func() { stop = a.ShowProgress(s.Planner.Progress) }()
			return ask(plan)
		}
	}
	run, err := work.Run(ctx)
	stop()
	if !work.Declined() {
		defer notify(ctx, run)
	}
	err = a.finish(ctx, run, err, a.appliedIn(f.reportFlags, work), &f.metrics)
	a.Next(f.format, afterApply(f, run, work.Place())...)
	return err
}

// appliedIn renders a run that applied. The text is only what became of the plan,
// which was shown before, or has been read by whoever passed --yes.
func (a *app) appliedIn(f reportFlags, work *janitor.ApplyRun) func(runs.Run) error {
	return func(run runs.Run) error {
		switch {
		case f.format != report.FormatText:
			return a.render(run, f)
		case run.Plan.Outcome != nil && len(run.Plan.Steps) > 0:
			return report.Applied(a.Reports(), run, a.TextOptions())
		case work.PlanShown():
			return nil // nothing happened to the plan that was shown
		}
		return a.render(run, f)
	}
}

// applyRun is the run of apply that the flags ask for. A saved plan must be one
// of this configuration.
func (a *app) applyRun(ctx context.Context, f *applyFlags, s *inputs.Source) (*janitor.ApplyRun, error) {
	work := &janitor.ApplyRun{Session: s.Session, Recorder: a.recorderOptions(f.lockTimeout), Log: a.Log}
	var err error
	if f.plan != "" {
		if err = a.givenPlan(ctx, f, s, work); err != nil {
			return nil, err
		}
		if err := s.Planner.Matches(work.Given); err != nil {
			return nil, fmt.Errorf("%s: %w", f.plan, err)
		}
	}
	if !f.yes && a.StdinOf() != "" {
		return nil, fmt.Errorf("%s reads standard input, so apply cannot ask for confirmation: read the plan first, then pass --yes", a.StdinOf())
	}
	beside := f.plan // where an earlier version kept its journal
	if terminal.IsStream(f.plan) {
		beside = ""
	}
	if work.Recorder.State, err = recorder.StateIn(f.stateDir, beside); err != nil && s.Planner.Config.LedgerDSN() == "" {
		return nil, err
	}
	if !f.yes {
		work.Ask = func(plan *actions.Plan) error {
			return a.ask(runs.Run{Plan: plan, Zone: s.Planner.Config.Location()}, f.reportFlags, undoing(s.Planner.Config, plan))
		}
	}
	return work, nil
}

// givenPlan reads the saved plan, with its signatures if the configuration needs them.
func (a *app) givenPlan(ctx context.Context, f *applyFlags, s *inputs.Source, work *janitor.ApplyRun) (err error) {
	switch {
	case s.Planner.Config.Approvals != nil:
		if work.Given, err = a.ReadSigned(ctx, f.plan); err == nil {
			work.Signatures, err = a.signaturesOf(ctx, f)
		}
	case len(f.signatures) > 0:
		err = errors.New("--signature has no effect: the configuration needs no approvals")
	default:
		work.Given, err = a.ReadPlan(ctx, f.plan)
	}
	return err
}

// undoing is a sentence on whether the deletions of a plan can be undone.
func undoing(c *config.Config, p *actions.Plan) string {
	switch {
	case c.Archive == nil, p.Summary.DeleteTags == 0:
		return "Deletions cannot be undone."
	case p.Summary.Archive.Tags == 0:
		return "Deletions cannot be undone: archive.match or archive.except leaves out every tag that is deleted."
	case c.Archive.Match != nil || c.Archive.Except != nil || !c.Archive.Required:
		return "Deletions can be undone for " + c.Archive.Keep.Words() + " where a tag is copied to " + c.Archive.To + " first."
	}
	return "Deletions of tags can be undone for " + c.Archive.Keep.Words() + ": each is copied to " + c.Archive.To + " first."
}

// ask shows the plan and waits for a yes. Standard output has nothing but what the
// format asks for.
func (a *app) ask(run runs.Run, f reportFlags, undo string) error {
	show := func() error { return a.render(run, reportFlags{format: report.FormatText, details: f.details}) }
	if f.format != report.FormatText {
		show = func() error {
			return report.Write(a.Stderr, report.FormatText, run, report.TextOptions{Details: f.details})
		}
	}
	if err := show(); err != nil {
		return err
	}
	if !a.Confirmed(fmt.Sprintf("\n%s Carry out %s?", undo, text.Count(len(run.Plan.Steps), "step"))) {
		return errors.New("nothing was changed")
	}
	return nil
}

// recorderOptions are who records a run in the ledger.
func (a *app) recorderOptions(wait time.Duration) recorder.Options {
	return recorder.Options{Trigger: runs.TriggerCommand, Who: a.who, Program: "registry-janitor " + a.Version, Wait: wait, Now: a.Now}
}
