package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	sourceFlags
	plan        string // the file, "" to make one
	yes         bool
	format      report.Format
	stateDir    string
	lockTimeout time.Duration
	metrics     metricsFlags
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply -c FILE [PLAN.json]",
		Short: "Carry out a plan, or make one and carry it out",
		Long: `Carry out exactly the plan in PLAN.json, or make a plan and carry it out.

Before anything is changed, the plan is shown and you are asked; --yes is for
schedules and CI. Each step is read again before it is sent, written down before
it is sent, and confirmed by reading afterwards. What has changed since the plan
was made is left alone.

Exit codes: 0 done; 1 an error, something could not be read or judged, or a step
failed or was skipped; 3 a limit refuses the plan, and nothing is changed.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.plan = args[0]
			}
			return a.apply(cmd.Context(), f)
		},
	}
	configFlag(cmd, &f.config)
	f.addConcurrency(cmd)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	enumFlag(cmd, cmd.Flags(), &f.format, "format", report.FormatText, "what to print", report.Formats()...)
	addStateDir(cmd.Flags(), &f.stateDir)
	f.metrics.add(cmd)
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for another run to end")
	return cmd
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	if !f.yes && !a.canAsk() {
		return errors.New("there is no terminal to ask on: look at the plan first, then give --yes")
	}
	f.observe = f.metrics.observe
	s, err := a.open(ctx, f.sourceFlags)
	if err != nil {
		return err
	}
	defer s.close()
	if !f.yes && s.planner.Config.Protect.ReferencesFile == config.StandardInput {
		return errors.New("protect.references_file reads standard input, so nobody can be asked: look at the plan first, then give --yes")
	}
	given, err := givenPlan(f, s.planner)
	if err != nil {
		return err
	}
	tell, err := a.notifier(s)
	if err != nil {
		return err
	}
	work, err := a.applyRun(f, s.session, given)
	if err != nil {
		return err
	}
	stop := func() {}
	if given == nil && f.yes {
		stop = showProgress(a.stderr, s.planner.Progress)
	}
	run, err := work.Run(ctx)
	stop()
	if !work.Declined() {
		defer tell(ctx, run)
	}
	if run.Plan != nil {
		err = errors.Join(err, a.render(run, f.format))
	}
	err = errors.Join(err, f.metrics.write(ctx, run, a.stderr))
	return status(worse(run.Exit, err), err)
}

// worse is the exit code of a run beside which something else may have failed: 3
// beats 1 beats 2.
func worse(exit int, err error) int {
	if err != nil && exit != janitor.ExitRefused {
		return janitor.ExitIncomplete
	}
	return exit
}

// applyRun is the run of apply that the flags ask for.
func (a *app) applyRun(f applyFlags, session *janitor.Session, given *actions.Plan) (*janitor.ApplyRun, error) {
	state, err := janitor.StateIn(f.stateDir, f.plan)
	if err != nil && session.Config.LedgerDSN() == "" {
		return nil, err
	}
	work := &janitor.ApplyRun{Session: session, Given: given, Recorder: a.recorderOptions(f.lockTimeout), Log: a.log}
	work.Recorder.State = state
	if !f.yes {
		work.Ask = a.ask
	}
	return work, nil
}

// givenPlan reads the plan in the file and refuses one that is not of this
// configuration.
func givenPlan(f applyFlags, planner *janitor.Planner) (*actions.Plan, error) {
	if f.plan == "" {
		return nil, nil
	}
	file, err := os.Open(f.plan)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer file.Close()
	plan, err := actions.Decode(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.plan, err)
	}
	if err := planner.Matches(plan); err != nil {
		return nil, fmt.Errorf("%s: %w", f.plan, err)
	}
	return plan, nil
}

// ask shows the plan and waits for a yes.
func (a *app) ask(plan *actions.Plan) error {
	if err := a.render(runs.Run{Plan: plan}, report.FormatText); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "\nWhat is deleted cannot be brought back. Carry out %s? Only yes is a yes: ", actions.Count(len(plan.Steps), "step"))
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// canAsk reports whether somebody can answer a question.
func (a *app) canAsk() bool { return isTerminal(a.stdin) }

// recorderOptions say who records, for the ledger.
func (a *app) recorderOptions(wait time.Duration) janitor.RecorderOptions {
	return janitor.RecorderOptions{Trigger: runs.TriggerCommand, Who: a.who, Program: program(), Wait: wait, Now: a.now}
}

// program is the name and the version.
func program() string { return "registry-janitor " + version() }

// who is the user and the machine, for the ledger.
func who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
