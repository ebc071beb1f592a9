package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// makeApproved carries out the newest plan in the ledger that enough people have approved.
// Without one it makes a plan, which people can approve.
func (d *daemon) makeApproved(ctx context.Context, session *janitor.Session, o recorder.Options) (runs.Run, error) {
	plan, err := session.Approved(ctx, o)
	if err != nil {
		return runs.Run{Kind: runs.KindApply, Trigger: o.Trigger, Started: session.TakenAt, Exit: janitor.ExitIncomplete, Error: err.Error()}, err
	}
	if plan == nil {
		d.log.Info("no plan that can be applied has enough approvals: making a plan, which registry-janitor approve RUN can sign", "trigger", o.Trigger)
		return session.MakePlan(ctx, o, janitor.PlanExit)
	}
	d.log.Info("applying an approved plan", "plan", plan.ID, "trigger", o.Trigger)
	work := &janitor.ApplyRun{Session: session, Given: plan, Recorder: o, Log: d.log}
	return work.Run(ctx)
}

// SignedBytes are what approvers of a plan sign.
func (d *daemon) SignedBytes(ctx context.Context, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	plan, err := d.planOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return admission.SignedBytes(plan)
}

// planOf is a plan in the ledger, or the plan of the latest run.
func (d *daemon) planOf(ctx context.Context, id string) (*actions.Plan, error) {
	var latest *runs.Run
	d.set(func() { latest = d.latest })
	if latest != nil && latest.Plan != nil && latest.Plan.ID == id {
		return latest.Plan, nil
	}
	l := d.openLedger()
	if l == nil {
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, id)
	}
	plan, err := l.Plan(ctx, id)
	if errors.Is(err, ledger.ErrUnknownPlan) {
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, id)
	}
	return plan, err
}

// Approve records a signature of a plan, and returns its approvals.
func (d *daemon) Approve(ctx context.Context, id string, signature []byte) (*runs.Approvals, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	plan, err := d.planOf(ctx, id)
	if err != nil {
		return nil, err
	}
	l := d.openLedger()
	if l == nil {
		return nil, errors.New("the ledger, where approvals are recorded, cannot be reached, or is not configured")
	}
	approvals, err := admission.Sign(ctx, d.current().config, l, plan, signature, d.o.Session.Now())
	switch {
	case errors.Is(err, admission.ErrSignature):
		return nil, fmt.Errorf("%w: %w", web.ErrSignature, err)
	case errors.Is(err, ledger.ErrUnknownPlan):
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownPlan, id)
	case err == nil:
		d.set(func() { d.changes++ })
	}
	return approvals, err
}

// withApprovals is a run with the approvals of its plan, if it needs any.
func (d *daemon) withApprovals(ctx context.Context, run *runs.Run) *runs.Run {
	c := d.current().config
	if run == nil || c.Approvals == nil || run.Plan == nil || len(run.Plan.Steps) == 0 || run.Plan.Outcome != nil {
		return run
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	approvals, err := admission.Approvals(ctx, c, d.openLedger(), run.Plan, nil, d.o.Session.Now())
	if err != nil {
		d.log.Warn("the approvals of a plan cannot be read", "plan", run.Plan.ID, "error", err)
		return run
	}
	with := *run
	with.Approvals = approvals
	return &with
}
