package daemon

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/progress"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// schedule is the state of a schedule, which outlives a setup. The mutex of the daemon
// guards all of it except busy.
type schedule struct {
	busy    chan struct{} // taken from when it is due until its run has ended
	last    time.Time
	lastRun string
	skipped int
}

func newSchedule() *schedule { return &schedule{busy: make(chan struct{}, 1)} }

// start starts the clock of a setup, and the run at the start.
func (d *daemon) start(ctx context.Context, s *setup) *cron.Cron {
	clock := cron.New()
	for _, x := range s.schedules {
		clock.Schedule(x.when, cron.FuncJob(func() { d.due(ctx, x) }))
		d.metrics.SetNext(x.name, x.when.Next(d.o.Session.Now()))
	}
	if err := d.watchArchive(ctx, s, clock); err != nil { // config has checked the time zone
		d.log.Error("the archive is not purged", "error", err)
	}
	d.runAtStart(ctx, s)
	clock.Start()
	return clock
}

// runAtStart makes the run at the start, if the options ask for one.
func (d *daemon) runAtStart(ctx context.Context, s *setup) {
	first := false
	d.set(func() { first, d.first = d.first, false })
	if !first || !d.o.RunAtStart {
		return
	}
	kinds := map[runs.Kind]bool{}
	for _, x := range s.schedules {
		kinds[x.do] = true
	}
	kind := runs.KindPlan // also without a schedule
	if kinds[runs.KindApply] {
		kind = runs.KindApply // which makes a plan first
	}
	d.jobs.Go(func() { d.whenFree(ctx, func(s *setup) { d.run(ctx, s, kind, runs.TriggerStart) }) })
}

// due makes the run of a schedule that is due.
func (d *daemon) due(ctx context.Context, x scheduled) {
	d.metrics.SetNext(x.name, x.when.Next(d.o.Session.Now()))
	var state *schedule
	d.set(func() { state = d.schedules[x.name] })
	select {
	case state.busy <- struct{}{}:
	default:
		d.set(func() { state.skipped++ })
		d.metrics.Overlapped(x.name)
		d.log.Warn("run skipped: the previous run of the schedule has not ended", "schedule", x.name)
		return
	}
	d.jobs.Go(func() {
		defer func() { <-state.busy }()
		if x.jitter > 0 {
			_ = clock.Sleep(ctx, rand.N(x.jitter))
		}
		d.whenFree(ctx, func(s *setup) {
			// Another configuration may have been loaded while it waited.
			if still := func(y scheduled) bool { return y.name == x.name && y.do == x.do }; !slices.ContainsFunc(s.schedules, still) {
				d.log.Info("run dropped: its schedule is no longer configured", "schedule", x.name)
				return
			}
			d.run(ctx, s, x.do, x.name)
		})
	})
}

// whenFree calls run when no other run is in progress, with the setup of that time.
func (d *daemon) whenFree(ctx context.Context, run func(*setup)) {
	select {
	case d.slot <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-d.slot }()
	if ctx.Err() == nil {
		run(d.current())
	}
}

// Start starts a run at once, or returns why it does not.
func (d *daemon) Start(kind runs.Kind) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx := d.working
	if ctx == nil || ctx.Err() != nil {
		return web.ErrStandby
	}
	select {
	case d.slot <- struct{}{}:
	default:
		return web.ErrBusy
	}
	d.jobs.Go(func() {
		defer func() { <-d.slot }()
		d.run(ctx, d.current(), kind, runs.TriggerHTTP)
	})
	return nil
}

// run makes one run, and shows it in the log, the metrics and the notifications.
func (d *daemon) run(ctx context.Context, s *setup, kind runs.Kind, trigger string) {
	d.log.Info("run started", "kind", kind, "trigger", trigger)
	run := runs.Run{Kind: kind, Trigger: trigger, Started: d.o.Session.Now()}
	began := clock.Now()
	err := bug.Contain(func() (err error) {
		run, err = d.make(ctx, s, kind, trigger)
		return err
	})
	if panicked := (*bug.Error)(nil); errors.As(err, &panicked) {
		d.metrics.Panicked(trigger)
		d.log.Error("run panicked", "panic", panicked.Value, "stack", panicked.Stack)
		run.Exit, run.Error, run.Duration = janitor.ExitIncomplete, err.Error(), clock.Now().Sub(began)
	}
	if failed := (*ledger.Error)(nil); errors.As(err, &failed) {
		d.metrics.LedgerFailed()
	}
	d.finished(&run)
	d.showArchive(ctx)
	d.notify(ctx, s, run)
}

// notify sends the notifications of a run. That one cannot be sent does not change the
// run.
func (d *daemon) notify(ctx context.Context, s *setup, run runs.Run) {
	if err := s.notifier.Send(context.WithoutCancel(ctx), run); err != nil {
		d.log.Error("not every notification of the run could be sent", "error", err)
	}
	d.leave(ctx, s)
}

// make plans, or plans and applies.
func (d *daemon) make(ctx context.Context, s *setup, kind runs.Kind, trigger string) (runs.Run, error) {
	session, err := d.session(s)
	if err != nil {
		return runs.Run{Kind: kind, Trigger: trigger, Started: d.o.Session.Now(), Exit: janitor.ExitIncomplete, Error: err.Error()}, err
	}
	d.set(func() {
		d.running = &runs.Running{Kind: kind, Trigger: trigger, Started: session.TakenAt}
		if d.latest != nil && d.latest.Plan != nil {
			d.running.Expected = int64(d.latest.Plan.Summary.Images)
		}
		d.progress = session.Progress
	})
	defer d.set(func() { d.running, d.progress = nil, nil })
	report := &progress.Reporter{Figures: session.Progress.Now, Now: clock.Now}
	defer report.Log(d.log)()
	o := recorder.Options{Trigger: trigger, Who: d.o.Who, Program: d.program(), Wait: lockPatience, State: d.o.State}
	if kind == runs.KindPlan {
		return session.MakePlan(ctx, o, janitor.PlanExit)
	}
	if s.config.Approvals != nil {
		return d.makeApproved(ctx, session, o)
	}
	work := &janitor.ApplyRun{Session: session, Recorder: o, Log: d.log}
	return work.Run(ctx)
}

// lockPatience is how long the daemon waits for a run that was started by hand.
const lockPatience = 10 * time.Minute

// session connects the setup with the API.
func (d *daemon) session(s *setup) (*janitor.Session, error) {
	o := d.o.Session
	o.Connection.Profile = s.config.Scaleway.Profile
	return janitor.NewSession(&janitor.Planner{Config: s.config, Policies: s.policies, Progress: new(janitor.Progress), ExplainKept: d.o.Views.MostKept}, o)
}
