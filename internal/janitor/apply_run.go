package janitor

import (
	"context"
	"errors"
	"log/slog"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

// ApplyRun is one run that changes the registry: it makes a plan, or takes a given
// one, and carries it out.
type ApplyRun struct {
	Session *Session // required
	// Given is the plan to carry out; nil to make one. Matches must have accepted it.
	Given *actions.Plan
	// Recorder describes the run for the ledger. Its kind does not matter.
	Recorder RecorderOptions
	// Ask, if set, shows the plan to a person. An error declines it.
	Ask func(*actions.Plan) error
	// Log takes everything but the steps; required.
	Log *slog.Logger

	editor   *scaleway.Editor
	recorder *recorder
	declined bool
}

// Run runs it. Whatever the error, the run it returns is as far as it came. Its plan
// is nil if there is none, or if it was declined.
func (a *ApplyRun) Run(ctx context.Context) (runs.Run, error) {
	run := a.Session.begin(runs.Run{Kind: runs.KindApply, Trigger: a.Recorder.Trigger})
	if err := a.open(ctx); err != nil {
		return run.end(err)
	}
	if a.Session.Config.LedgerDSN() != "" {
		run.ID = a.recorder.id()
	}
	var plan *actions.Plan
	var outcome *actions.Outcome
	err := Contain(func() (err error) { // so that the lock is released whatever happens
		plan, outcome, err = a.carryOut(ctx)
		return err
	})
	if plan != nil {
		plan.Outcome = outcome
		run.Exit = applyExit(plan, outcome, err)
	} else {
		run.Exit = ExitIncomplete
	}
	if !a.declined {
		run.Plan = plan
	}
	if failed := a.finish(ctx, run.Exit, outcome, err); failed != nil {
		err = errors.Join(err, failed)
		run.Exit = max(run.Exit, ExitIncomplete)
	}
	return run.end(err)
}

// Declined reports whether the plan was declined, so that nothing was changed.
func (a *ApplyRun) Declined() bool { return a.declined }

// open makes the editor and opens the ledger. Without both nothing is applied.
func (a *ApplyRun) open(ctx context.Context) (err error) {
	if a.editor, err = scaleway.NewEditor(a.Session.o.Connection); err != nil {
		return err
	}
	o := a.Recorder
	o.Kind = runs.KindApply
	a.recorder, err = a.Session.newRecorder(ctx, o)
	return err
}

// carryOut makes or takes the plan, asks, and carries the plan out.
func (a *ApplyRun) carryOut(ctx context.Context) (*actions.Plan, *actions.Outcome, error) {
	options := a.Session.applyOptions()
	if err := a.resolve(ctx, options); err != nil {
		return nil, nil, err
	}
	plan, err := a.planned(ctx)
	if err != nil {
		return plan, nil, err
	}
	if err := a.admit(ctx, plan, options); err != nil {
		return plan, nil, err
	}
	if options.InUse, err = a.Session.usesNow(ctx, plan); err != nil {
		return plan, nil, err
	}
	ctx, stop := a.whileLocked(ctx)
	defer stop()
	outcome, err := apply.Apply(ctx, plan, a.editor, a.recorder.run, options)
	return plan, outcome, err
}

// admit checks that the plan may be applied, and asks.
func (a *ApplyRun) admit(ctx context.Context, plan *actions.Plan, o apply.ApplyOptions) error {
	if err := apply.CheckApplicable(plan, startOfRun(a.Session.o.Now), o.MaxPlanAge); err != nil {
		return err
	}
	if a.Given != nil {
		if err := a.Session.checkOwner(ctx, plan); err != nil {
			return err
		}
	}
	if len(plan.Steps) == 0 || a.Ask == nil {
		return nil
	}
	err := a.Ask(plan)
	a.declined = err != nil
	return err
}

// planned makes the plan, or records the given one.
func (a *ApplyRun) planned(ctx context.Context) (*actions.Plan, error) {
	if a.Given == nil {
		return a.Session.plan(ctx)
	}
	return a.Given, a.recorder.recordGiven(ctx, a.Given)
}

// whileLocked returns a context that ends when the lock is lost, because then another
// process may apply too.
func (a *ApplyRun) whileLocked(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.recorder.lock.Lost():
			a.Log.Error("the lock of the ledger is lost: stopping")
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// resolve finds out the results of the steps that interrupted runs left open.
func (a *ApplyRun) resolve(ctx context.Context, o apply.ApplyOptions) error {
	n, err := a.recorder.resolveInterrupted(ctx, a.editor, o)
	if n > 0 {
		a.Log.Warn("steps of an interrupted run were resolved by reading", "steps", n)
	}
	return err
}

// finish records how the run ended.
func (a *ApplyRun) finish(ctx context.Context, exit int, outcome *actions.Outcome, cause error) error {
	a.Session.recorder = nil // it is closed: a later plan of the session must not use it
	return errors.Join(a.recorder.finish(ctx, exit, cause, outcome), a.recorder.close())
}
