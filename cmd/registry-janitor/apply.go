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
	"github.com/registry-janitor/registry-janitor/config"
	"github.com/registry-janitor/registry-janitor/janitor"
	"github.com/registry-janitor/registry-janitor/ledger"
	"github.com/registry-janitor/registry-janitor/scaleway"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	sourceFlags
	plan        string // the file, "" to make one
	yes         bool
	format      string
	journal     string
	lockTimeout time.Duration
	textfile    string
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
	cmd.Flags().StringVar(&f.format, "format", "text", "what to print: text or json")
	cmd.Flags().StringVar(&f.journal, "journal", "", "without a ledger: the `FILE` that every step is recorded in (default: beside the plan, or in your state directory)")
	textfileFlag(cmd, &f.textfile)
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "with a ledger: how long to wait for another run to end")
	return cmd
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	if !f.yes && !a.canAsk() {
		return errors.New("there is no terminal to ask on: look at the plan first, then give --yes")
	}
	s, err := a.open(ctx, f.sourceFlags)
	if err != nil {
		return err
	}
	defer s.close()
	if !f.yes && s.pass.Config.Protect.ReferencesFile == config.StandardInput {
		return errors.New("protect.references_file reads standard input, so nobody can be asked: look at the plan first, then give --yes")
	}
	given, err := givenPlan(f, s.pass)
	if err != nil {
		return err
	}
	o, err := a.scalewayOptions(s.pass.Config, f.sourceFlags)
	if err != nil {
		return err
	}
	editor, err := scaleway.NewEditor(o)
	if err != nil {
		return err
	}
	work := &application{app: a, flags: f, session: s, editor: editor}
	if err := work.openLedger(ctx); err != nil {
		return err
	}
	plan, outcome, err := work.run(ctx, given)
	if plan != nil {
		plan.Outcome = outcome
		if shown := errors.Join(a.render(plan, f.format), writeMetrics(f.textfile, plan)); shown != nil && err == nil {
			err = shown
		}
	}
	return work.finish(ctx, plan, outcome, err)
}

// givenPlan reads the plan in the file and refuses one that is not of this
// configuration.
func givenPlan(f applyFlags, pass *janitor.Pass) (*actions.Plan, error) {
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
	if err := pass.Matches(plan); err != nil {
		return nil, fmt.Errorf("%s: %w", f.plan, err)
	}
	return plan, nil
}

// application is one run of apply.
type application struct {
	*app
	flags    applyFlags
	session  *session
	editor   *scaleway.Editor
	recorder *janitor.Recorder // nil without a ledger
	file     *journalFile      // nil with one
}

// openLedger opens the ledger, or finds the place of the journal file. Without
// either nothing is applied.
func (w *application) openLedger(ctx context.Context) (err error) {
	w.recorder, err = w.session.pass.NewRecorder(ctx, recorderOptions(ledger.KindApply, w.flags.lockTimeout))
	if err != nil || w.recorder != nil {
		return err
	}
	w.file, err = newJournalFile(w.flags.journal, w.flags.plan)
	return err
}

// run makes or takes the plan, asks, and carries it out.
func (w *application) run(ctx context.Context, given *actions.Plan) (*actions.Plan, *actions.Outcome, error) {
	pass := w.session.pass
	options := pass.ApplyOptions(w.flags.concurrency)
	if err := w.resolve(ctx, options); err != nil {
		return nil, nil, err
	}
	plan, err := w.planned(ctx, given)
	if err != nil {
		return plan, nil, err
	}
	if err := plan.CheckApplicable(startOfPass(), options.MaxPlanAge); err != nil {
		return plan, nil, err
	}
	if given != nil {
		if err := pass.CheckOwner(ctx, plan, w.session.reader); err != nil {
			return plan, nil, err
		}
	}
	if len(plan.Steps) > 0 && !w.flags.yes {
		if err := w.ask(plan); err != nil {
			return nil, nil, err // the plan has been shown
		}
	}
	if options.InUse, err = w.session.usesNow(ctx, plan); err != nil {
		return plan, nil, err
	}
	journal, err := w.journal(plan)
	if err != nil {
		return plan, nil, err
	}
	ctx, stop := w.whileLocked(ctx)
	defer stop()
	outcome, err := actions.Apply(ctx, plan, w.editor, journal, options)
	return plan, outcome, err
}

// whileLocked ends the run when another process may apply something too.
func (w *application) whileLocked(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if w.recorder != nil {
		go func() {
			select {
			case <-w.recorder.Lost():
				fmt.Fprintln(w.stderr, "registry-janitor: the lock of the ledger is lost: stopping")
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// planned makes the plan, or records the given one.
func (w *application) planned(ctx context.Context, given *actions.Plan) (*actions.Plan, error) {
	if given != nil {
		if w.recorder == nil {
			return given, nil
		}
		return given, w.recorder.Given(ctx, given)
	}
	pass := w.session.pass
	feed, err := w.session.feed(janitor.Scope(pass.Config))
	if err != nil {
		return nil, err
	}
	pass.TakenAt = startOfPass() // not when the lock was asked for
	stop := showProgress(w.stderr, pass.Progress)
	defer stop()
	return pass.Plan(ctx, feed)
}

func (w *application) journal(plan *actions.Plan) (actions.Journal, error) {
	if w.recorder != nil {
		return w.recorder.Journal(), nil
	}
	return w.file.open(plan.ID)
}

// resolve finds out what became of the steps of a run that was interrupted.
func (w *application) resolve(ctx context.Context, o actions.ApplyOptions) error {
	var n int
	var err error
	if w.recorder != nil {
		n, err = w.recorder.Interrupted(ctx, w.editor, o)
	} else {
		n, err = w.file.resolve(ctx, w.editor, o)
	}
	if n > 0 {
		fmt.Fprintf(w.stderr, "registry-janitor: %s of an interrupted run resolved by reading\n", actions.Count(n, "step"))
	}
	return err
}

// ask shows the plan and waits for a yes.
func (w *application) ask(plan *actions.Plan) error {
	if err := w.render(plan, "text"); err != nil {
		return err
	}
	fmt.Fprintf(w.stderr, "\nWhat is deleted cannot be brought back. Carry out %s? Only yes is a yes: ", actions.Count(len(plan.Steps), "step"))
	answer, err := bufio.NewReader(w.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// finish records how the run ended, and says it with the exit code.
func (w *application) finish(ctx context.Context, plan *actions.Plan, outcome *actions.Outcome, cause error) error {
	end := ending(plan, outcome, cause)
	code, _ := meaning(end)
	var err error
	if w.recorder != nil {
		err = errors.Join(w.recorder.Finish(ctx, code, cause, outcome), w.recorder.Close())
	} else {
		err = w.file.close(outcome)
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	return end
}

// ending is the exit code of an application.
func ending(plan *actions.Plan, outcome *actions.Outcome, cause error) error {
	switch {
	case errors.Is(cause, actions.ErrLimit):
		return &statusError{code: exitRefused, err: cause}
	case cause != nil:
		return &statusError{code: exitIncomplete, err: cause}
	case plan.Incomplete() || outcome.Incomplete():
		return &statusError{code: exitIncomplete}
	}
	return nil
}

// canAsk reports whether somebody can answer a question.
func (a *app) canAsk() bool { return isTerminal(a.stdin) }

// recorderOptions say who records, for the ledger.
func recorderOptions(kind ledger.Kind, wait time.Duration) janitor.RecorderOptions {
	return janitor.RecorderOptions{Kind: kind, Who: who(), Program: "registry-janitor " + version(), Wait: wait}
}

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
