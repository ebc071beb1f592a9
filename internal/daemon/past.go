package daemon

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/metrics"
)

// The names under which the ledger has the state of a daemon besides its runs.
const (
	stateNotified   = "notified"   // notify.Sent
	stateNamespaces = "namespaces" // the labels of the metrics
)

// resume continues the work of the previous daemon: it reads its metrics, what it has
// sent, and the last run of each schedule from the ledger, and makes up for missed runs.
// A ledger that cannot be read does not stop the daemon.
func (d *daemon) resume(ctx context.Context) {
	l, s := d.openLedger(), d.current()
	if l == nil {
		return
	}
	if err := d.recall(ctx, l, s); err != nil {
		d.log.Error("the earlier state of the daemon cannot be read from the ledger", "error", err)
		d.metrics.LedgerFailed()
	}
	for _, x := range s.schedules {
		last, found, err := l.LastOf(ctx, x.name)
		if err != nil {
			d.log.Error("the last run of a schedule cannot be read from the ledger", "schedule", x.name, "error", err)
			d.metrics.LedgerFailed()
			continue
		}
		if found {
			d.set(func() {
				state := d.schedules[x.name]
				state.last, state.lastRun = last.Started, strconv.FormatInt(last.ID, 10)
			})
			d.makeUp(ctx, x, last.Started)
		}
	}
}

// recall takes up the metrics, and what was sent.
func (d *daemon) recall(ctx context.Context, l *ledger.Ledger, s *setup) error {
	var sent notify.Sent
	if err := l.State(ctx, stateNotified, &sent); err != nil {
		return err
	}
	s.notifier.Resume(sent)
	var past metrics.Past
	if err := l.State(ctx, stateNamespaces, &past.Namespaces); err != nil {
		return err
	}
	records, err := l.Runs(ctx, maxHistory)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, func(r ledger.RunRecord) bool { return r.Ended.IsZero() })
	for i := range records {
		r := &records[i]
		past.Runs = append(past.Runs, d.summary(r))
		wanted := past.Latest == nil && r.PlanID != "" || past.Applied == nil && len(r.Counts) > 0 && r.Kind == runs.KindApply
		if !wanted || r.Status == ledger.StatusDeclined {
			continue
		}
		run, err := d.fromLedger(ctx, l, r.ID)
		if err != nil {
			return err
		}
		if run.Plan != nil && past.Latest == nil {
			past.Latest = run
		}
		if run.Plan != nil && run.Plan.Outcome != nil && past.Applied == nil {
			past.Applied = run
		}
	}
	d.metrics.Resume(past)
	return nil
}

// makeUp makes the run that a schedule missed since its last one began, if that is not too
// long ago. An interval counts from the start of the daemon, so none is missed.
func (d *daemon) makeUp(ctx context.Context, x scheduled, last time.Time) {
	now := d.o.Session.Now()
	if _, interval := x.when.(cron.ConstantDelaySchedule); interval {
		return
	}
	first := x.when.Next(last)
	if first.IsZero() || first.After(now) {
		return
	}
	from := now.Add(-x.catchUp - time.Nanosecond)
	if from.Before(last) {
		from = last
	}
	if due := x.when.Next(from); x.catchUp > 0 && !due.IsZero() && !due.After(now) {
		d.log.Info("making up for a missed run", "schedule", x.name, "due", due.UTC())
		d.due(ctx, x)
		return
	}
	d.metrics.Missed(x.name)
	d.log.Warn("a run was missed while no daemon worked, and the daemon does not make up for it", "schedule", x.name, "due", first.UTC(), "catch_up", x.catchUp)
}

// leave records what a daemon that takes over needs besides the runs.
func (d *daemon) leave(ctx context.Context, s *setup) {
	l := d.openLedger()
	if l == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := l.SetState(ctx, stateNotified, s.notifier.Sent())
	if err == nil {
		err = l.SetState(ctx, stateNamespaces, d.metrics.Namespaces())
	}
	if err != nil {
		d.log.Error("the state of the daemon cannot be recorded in the ledger", "error", err)
		d.metrics.LedgerFailed()
	}
}
