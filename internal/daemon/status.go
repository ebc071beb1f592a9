package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

const (
	// maxHistory bounds how many runs a daemon without a ledger remembers.
	maxHistory = 200
	// shownRuns is how many runs the page shows.
	shownRuns = 30
	// localRun begins the ID of a run that is not in a ledger.
	localRun = "local-"
	// ledgerPatience is how long a page waits for the ledger.
	ledgerPatience = 5 * time.Second
)

// finished records the end of a run.
func (d *daemon) finished(run *runs.Run) {
	d.set(func() {
		if run.ID == "" {
			d.runs++
			run.ID = localRun + strconv.Itoa(d.runs)
		}
		d.latest = run
		d.changes++
		d.history = append([]runs.Summary{run.Summary()}, d.history[:min(len(d.history), maxHistory-1)]...)
		if s := d.schedules[run.Trigger]; s != nil {
			s.last, s.lastRun = run.Started, run.ID
		}
	})
	d.metrics.Set(*run)
	d.logRun(run)
}

// logRun logs how a run ended.
func (d *daemon) logRun(run *runs.Run) {
	s := run.Summary()
	attributes := []any{
		"kind", run.Kind, "trigger", run.Trigger, "run", run.ID, "exit", run.Exit, "duration", run.Duration.Round(time.Millisecond),
		"tags", s.Tags, "steps", s.Steps, "held", s.Held, "violations", s.Violations, "gaps", s.Gaps,
	}
	if run.Plan != nil && run.Plan.Outcome != nil {
		attributes = append(attributes, "done", s.Done, "failed", s.Failed, "skipped", s.Skipped)
	}
	if n := run.Contents; n.Read+n.Known+n.Unread > 0 {
		attributes = append(attributes, "contents_read", n.Read, "contents_known", n.Known, "contents_unread", n.Unread, "registry_calls", n.Calls)
	}
	switch {
	case run.Error != "":
		d.log.Error("run failed", append(attributes, "error", run.Error)...)
	case run.Exit != janitor.ExitDone:
		d.log.Warn("run finished incomplete", append(attributes, "why", firstOf(run.Plan))...)
	default:
		d.log.Info("run finished", attributes...)
	}
}

// firstOf is the first reason why a run is refused or incomplete; the page has all of
// them.
func firstOf(p *actions.Plan) string {
	switch {
	case p.Refused():
		return p.Refusals[0].Detail
	case len(p.Gaps) > 0:
		return p.Gaps[0].Subject + ": " + p.Gaps[0].Error
	case p.Outcome != nil && p.Outcome.Incomplete():
		return "not every step was carried out"
	}
	return "a policy failed"
}

// Ready is nil: a daemon does not start without a valid configuration.
func (d *daemon) Ready() error { return nil }

// Status returns the state of the daemon.
func (d *daemon) Status(ctx context.Context) runs.Daemon {
	s := d.InMemory()
	var err error
	if s.Runs, err = d.Runs(ctx, shownRuns); err != nil {
		d.log.Warn("the history of runs cannot be read", "error", err)
	}
	s.Leader = d.leader(ctx)
	return s
}

// InMemory returns the state without what is in the ledger.
func (d *daemon) InMemory() runs.Daemon {
	now := d.o.Session.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := runs.Daemon{
		Version: d.o.Version, Started: d.started, Now: now, Leads: d.working != nil, Reload: d.reload, Changes: d.changes,
		MayPlan: d.working != nil, MayApply: d.working != nil && d.o.EnableApply, Zone: d.setup.config.Location(),
	}
	if a := d.setup.config.Archive; a != nil {
		s.Archive = a.To
	}
	if d.running != nil {
		s.Running = runningOf(*d.running, d.progress)
	}
	for _, x := range d.setup.schedules {
		state := d.schedules[x.name]
		s.Schedules = append(s.Schedules, runs.Schedule{
			Name: x.name, Cron: x.cron, Timezone: x.timezone, Do: x.do, Jitter: runs.Seconds(x.jitter),
			Next: x.when.Next(now), Last: state.last, LastRun: state.lastRun, Skipped: state.skipped,
		})
	}
	return s
}

// runningOf is a run in progress with its counts.
func runningOf(r runs.Running, p *janitor.Progress) *runs.Running {
	r.Images, r.Tags = p.Images.Load(), p.Tags.Load()
	if since := p.ApplyingSince.Load(); since > 0 {
		r.Applying = time.UnixMicro(since).UTC()
		r.Steps, r.Finished, r.Failed = p.Applied.Steps.Load(), p.Applied.Finished.Load(), p.Applied.Failed.Load()
	}
	return &r
}

// leader names the daemon that is active, if the ledger has it.
func (d *daemon) leader(ctx context.Context) string {
	l := d.openLedger()
	if l == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	who, err := l.Leader(ctx)
	if err != nil {
		return ""
	}
	return who
}

// Runs returns the runs in the ledger, or those that this process has made.
func (d *daemon) Runs(ctx context.Context, limit int) ([]runs.Summary, error) {
	var list []runs.Summary
	d.set(func() {
		list = slices.Clone(d.history)
		for i := range list {
			list[i].Kept = list[i].ID == d.latest.ID
		}
	})
	l := d.openLedger()
	if l == nil {
		return list[:min(limit, len(list))], nil
	}
	// A local run beside a ledger is one that it could not record.
	list = slices.DeleteFunc(list, func(r runs.Summary) bool { return !strings.HasPrefix(r.ID, localRun) })
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	records, err := l.Runs(ctx, limit)
	for i := range records {
		list = append(list, d.summary(&records[i]))
	}
	slices.SortStableFunc(list, func(a, b runs.Summary) int { return b.Started.Compare(a.Started) })
	return list[:min(limit, len(list))], err
}

// summary returns what the history shows of a run in the ledger.
func (d *daemon) summary(r *ledger.RunRecord) runs.Summary {
	s := runs.Summary{
		Kept: !r.Ended.IsZero(),
		ID:   strconv.FormatInt(r.ID, 10), Kind: r.Kind, Trigger: r.Trigger, Started: r.Started, Exit: r.Exit, Error: r.Message,
		Done: r.Counts[actions.ResultDone], Failed: r.Counts[actions.ResultFailed], Skipped: r.Counts[actions.ResultSkipped],
	}
	switch {
	case !r.Ended.IsZero():
		s.Duration = runs.Seconds(r.Ended.Sub(r.Started))
	case r.Status == ledger.StatusInterrupted:
		s.Exit, s.Error = janitor.ExitIncomplete, "interrupted"
	}
	if s.Declined = r.Status == ledger.StatusDeclined; s.Declined {
		s.Error = "" // nothing went wrong
	}
	if p := r.Summary; p != nil {
		s.Tags, s.Held, s.Violations, s.Gaps = p.Tags, p.Held, p.Deny+p.Warn+p.Waived, p.Gaps
		s.Steps = p.Steps()
	}
	return s
}

// Latest returns the latest run: that of this process, or one that another process has
// recorded in the ledger since.
func (d *daemon) Latest(ctx context.Context) (*runs.Run, error) {
	run, err := d.newest(ctx)
	return d.withApprovals(ctx, run), err
}

func (d *daemon) newest(ctx context.Context) (*runs.Run, error) {
	var own *runs.Run
	d.set(func() { own = d.latest })
	l := d.openLedger()
	if l == nil {
		return own, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	records, err := l.Runs(ctx, shownRuns)
	if err != nil {
		return own, nil // the page shows what is known
	}
	for i := range records {
		r := &records[i]
		if own != nil && (strconv.FormatInt(r.ID, 10) == own.ID || !r.Started.After(own.Started)) {
			return own, nil
		}
		if !r.Ended.IsZero() && r.PlanID != "" && r.Status != ledger.StatusDeclined {
			run, err := d.fromLedger(ctx, l, r.ID)
			if err != nil || run.Plan == nil {
				continue // its plan was dropped
			}
			return run, nil
		}
	}
	return own, nil
}

// Run returns the run with an ID, with its plan if that is kept.
func (d *daemon) Run(ctx context.Context, id string) (*runs.Run, error) {
	var own *runs.Run
	d.set(func() { own = d.latest })
	if own != nil && own.ID == id {
		return d.withApprovals(ctx, own), nil
	}
	l := d.openLedger()
	number, err := strconv.ParseInt(id, 10, 64)
	if l == nil || err != nil {
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownRun, id)
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	run, err := d.fromLedger(ctx, l, number)
	if errors.Is(err, ledger.ErrUnknownRun) {
		return nil, fmt.Errorf("%w: %q", web.ErrUnknownRun, id)
	}
	return d.withApprovals(ctx, run), err
}

func (d *daemon) fromLedger(ctx context.Context, l *ledger.Ledger, id int64) (*runs.Run, error) {
	details, err := l.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	s, c := d.summary(&details.RunRecord), d.current().config
	run := &runs.Run{
		Price: janitor.PriceOf(c), Zone: c.Location(), Waivers: janitor.WaiversOf(c, s.Started),
		ID: s.ID, Kind: s.Kind, Trigger: s.Trigger, Started: s.Started, Duration: s.Duration.Duration(), Exit: s.Exit, Error: s.Error, Declined: s.Declined,
	}
	if details.PlanID == "" {
		return run, nil
	}
	run.Plan, err = l.Plan(ctx, details.PlanID)
	if errors.Is(err, ledger.ErrUnknownPlan) {
		run.Error = cmp.Or(run.Error, "the plan is no longer in the ledger, which drops those that were not applied after a while")
		return run, nil
	}
	if err != nil {
		return nil, err
	}
	run.Plan.Outcome = details.Outcome
	return run, nil
}

// openLedger returns the ledger, or nil.
func (d *daemon) openLedger() *ledger.Ledger {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ledger
}

// Explain judges now what a person named.
func (d *daemon) Explain(ctx context.Context, text string) (runs.Answer, error) {
	s := d.current()
	session, err := d.session(s)
	if err != nil {
		return runs.Answer{}, err
	}
	named, err := lookup.Parse(text, session.Config.Scaleway.Regions)
	if err != nil {
		return runs.Answer{}, fmt.Errorf("%w: %w", web.ErrReference, err)
	}
	if err := session.ReadLedger(ctx); err != nil {
		return runs.Answer{}, err
	}
	session.ShareContents()
	defer session.Close(ctx)
	answer, err := session.ExplainNow(ctx, named)
	if errors.Is(err, lookup.ErrAmbiguous) {
		err = fmt.Errorf("%w: %w", web.ErrReference, err)
	}
	return answer, err
}
