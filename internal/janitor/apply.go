package janitor

import (
	"context"
	"errors"
	"log/slog"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

// ApplyRun is a run that changes the registry: it makes a plan, or gets one, and
// applies it.
type ApplyRun struct {
	Session *Session // required
	// Given is the plan to apply; nil to make one. Matches must have accepted it.
	Given *actions.Plan
	// Signatures come with the given plan, beside those in the ledger.
	Signatures []approvals.Signature
	// Recorder is how the run is recorded.
	Recorder recorder.Options
	// Ask, if set, shows the plan to the operator, and returns an error if the answer
	// is no.
	Ask func(*actions.Plan) error
	// Log receives what happens, and every step at the debug level; required.
	Log *slog.Logger

	editor    *scaleway.Editor
	recorder  *recorder.Recorder
	planShown bool // the operator has seen the plan
	declined  bool // by the operator
}

// Run makes the run. The result is valid whatever the error: it has what was done. Its
// plan is nil if the operator declined it.
func (a *ApplyRun) Run(ctx context.Context) (runs.Run, error) {
	ctx, stop := a.Session.withDeadline(ctx)
	defer stop()
	run := a.Session.begin(runs.Run{Kind: runs.KindApply, Trigger: a.Recorder.Trigger})
	if err := a.open(ctx); err != nil {
		return run.end(overdue(ctx, err))
	}
	if a.Session.Config.LedgerDSN() != "" {
		run.ID = a.Place().Run
	}
	var plan *actions.Plan
	var outcome *actions.Outcome
	err := bug.Contain(func() (err error) { // so that the lock is always released
		plan, outcome, err = a.apply(ctx)
		return err
	})
	err = overdue(ctx, err)
	if plan != nil {
		plan.Outcome = outcome
		run.Exit = applyExit(plan, outcome, err)
	} else {
		run.Exit = ExitIncomplete
	}
	if run.Declined = a.declined; !a.declined {
		run.Plan = plan
	}
	// Another plan of the same session is not recorded in a closed ledger.
	a.Session.recorder, a.Session.history = nil, nil
	if failed := a.Session.finish(ctx, a.recorder, run.Exit, err, outcome); failed != nil {
		err = errors.Join(err, failed)
		run.Exit = max(run.Exit, ExitIncomplete)
	}
	return run.end(err)
}

// Declined reports whether the operator declined the plan, so that nothing was changed.
func (a *ApplyRun) Declined() bool { return a.declined }

// PlanShown reports whether the operator has seen the plan.
func (a *ApplyRun) PlanShown() bool { return a.planShown }

// Place returns where the run is recorded, once it has begun.
func (a *ApplyRun) Place() recorder.Place { return a.recorder.Place() }

// open connects with a client that can change the registry, and opens the ledger.
// Without either, nothing is applied.
func (a *ApplyRun) open(ctx context.Context) (err error) {
	if a.editor, err = scaleway.NewEditor(a.Session.o.Connection); err != nil {
		return err
	}
	a.Session.Progress.do(runs.Waiting)
	a.recorder, err = a.Session.startRecording(ctx, runs.KindApply, a.Recorder)
	return err
}

// apply resolves interrupted runs, makes or records the plan, asks for confirmation, and applies it.
func (a *ApplyRun) apply(ctx context.Context) (_ *actions.Plan, _ *actions.Outcome, failed error) {
	n, err := a.recorder.Resolve(ctx, a.editor)
	if n > 0 {
		a.Log.Warn("steps of an interrupted run were resolved by reading", "steps", n)
	}
	if err != nil {
		return nil, nil, err
	}
	options := a.Session.applyOptions()
	options.Logger = a.Log
	plan, err := a.planned(ctx)
	if err != nil {
		return plan, nil, err
	}
	if err := a.admit(ctx, plan, options); err != nil {
		return plan, nil, err
	}
	ctx, stop := a.recorder.WhileLocked(ctx, func() { a.Log.Error("the lock of the ledger is lost: stopping") })
	defer stop()
	a.Session.Progress.do(runs.Asking)
	force, err := a.Session.inForce(ctx, plan)
	if err != nil {
		return plan, nil, err
	}
	options.Progress = a.Session.Progress.applying(a.Session.o.Now())
	environment := apply.Environment{Registry: a.editor, Journal: a.recorder.Run, Judge: force.judge}
	copier, err := a.newCopier(plan, force.visibilities)
	if err != nil {
		return plan, nil, err
	}
	if copier != nil {
		environment.Archive = copier
		defer func() { failed = errors.Join(failed, copier.Close(ctx)) }() // also after a bug: it holds a lock
	}
	outcome, err := apply.Apply(ctx, plan, environment, options)
	return plan, outcome, err
}

// applyOptions are the settings of the configuration for applying a plan.
func (s *Session) applyOptions() apply.Options {
	limits := s.Config.Limits
	o := apply.Options{
		Concurrency:    s.o.Connection.Concurrency,
		SharedDigestIn: s.sharedDigest,
		Canary:         limits.Canary,
		Breaker:        limits.MaxFailures,
		MaxPlanAge:     limits.MaxPlanAge.Duration(),
		Now:            s.o.Now,
	}
	if o.Canary == 0 {
		o.Canary = -1 // none; the zero value is the default
	}
	return o
}

// planned makes the plan, or records the given one.
func (a *ApplyRun) planned(ctx context.Context) (*actions.Plan, error) {
	if a.Given == nil {
		return a.Session.plan(ctx)
	}
	return a.Given, a.recorder.Run.Plan(ctx, a.Given, nil)
}

// admit checks that the plan may be applied, and asks for confirmation.
func (a *ApplyRun) admit(ctx context.Context, plan *actions.Plan, o apply.Options) error {
	if err := plan.Applicable(startOfRun(a.Session.o.Now), o.MaxPlanAge); err != nil {
		return err
	}
	s := a.Session
	if err := admission.Saved(s.Config, a.Given != nil); err != nil {
		return err
	}
	if err := admission.Approved(ctx, s.Config, a.recorder.Ledger, plan, a.Signatures, s.o.Now()); err != nil {
		return err
	}
	if a.Given != nil {
		if err := s.restoredFor(ctx, plan); err != nil {
			return err
		}
		census := admission.Census{Registry: s.reader, Scope: Scope(s.Config), Limits: s.planOptions(), Restored: s.restored}
		if err := census.Check(ctx, plan); err != nil {
			return err
		}
	}
	if len(plan.Steps) == 0 || a.Ask == nil {
		return nil
	}
	a.planShown = true
	if err := a.Ask(plan); err != nil {
		a.declined = true
		return declined{err}
	}
	return nil
}

// declined is the error of an operator who declined a plan.
type declined struct{ error }

func (d declined) Unwrap() error { return d.error }

// newCopier is what copies tags before they are deleted; nil without an archive.
func (a *ApplyRun) newCopier(plan *actions.Plan, visibilities *visibilities) (*archive.Copier, error) {
	return archivist.NewCopier(a.Session.Config, a.Session.o.Connection, plan.Steps, archive.CopierOptions{
		Run: a.Place().Run, Who: a.Recorder.Who, Visibility: visibilities.of,
		Now: a.Session.o.Now, Logger: a.Log, Traffic: &a.Session.Progress.Archived,
	})
}
