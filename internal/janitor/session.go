package janitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/kube"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Session is a planner that is connected to the API, not to an inventory.
type Session struct {
	*Planner

	uses   *uses.Set
	reader *scaleway.Reader
	calls  *atomic.Int64 // of the API
	o      SessionOptions
}

// SessionOptions are how to reach the API and the use sources.
type SessionOptions struct {
	// Connection is how to reach the API.
	Connection scaleway.Options
	// Stdin is read if the references file is "-"; nil makes that an error.
	Stdin io.Reader
	// Known are the contents that sessions share, where no ledger keeps them; nil is new ones.
	Known *KnownContents
	// Now is the clock of runs; nil is the wall clock.
	Now func() time.Time
}

// NewSession connects the planner with a client that cannot change anything. It sends
// no request yet.
func NewSession(planner *Planner, o SessionOptions) (*Session, error) {
	if o.Now == nil {
		o.Now = clock.Now
	}
	if planner.Progress == nil {
		planner.Progress = new(Progress)
	}
	o.Connection.Traffic = &planner.Progress.Traffic
	calls := new(atomic.Int64)
	o.Connection.Observer = counting(o.Connection.Observer, calls)
	reader, err := scaleway.NewReader(o.Connection)
	if err != nil {
		return nil, err
	}
	planner.connection = o.Connection
	planner.TakenAt = startOfRun(o.Now)
	planner.Clock = reader
	if planner.contents, err = newContents(planner.Config, reader, o); err != nil {
		return nil, err
	}
	planner.Progress.contents = planner.contents
	cluster := kube.Options{UserAgent: o.Connection.UserAgent, Logger: o.Connection.Logger}
	set := sources.New(planner.Config, o.Stdin, serverless(reader), cluster)
	if protect := &planner.Config.Protect; protect.Kapsule {
		set.AddFinder(sources.KapsuleKey(protect), sources.NewKapsule(planner.Config, reader, cluster).Find)
	}
	set.Now = o.Now
	return &Session{Planner: planner, uses: set, reader: reader, calls: calls, o: o}, nil
}

// counting counts the requests, and passes them to an observer if there is one.
func counting(observer func(http.RoundTripper) http.RoundTripper, calls *atomic.Int64) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if observer != nil {
			next = observer(next)
		}
		return counter{next, calls}
	}
}

type counter struct {
	next  http.RoundTripper
	calls *atomic.Int64
}

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	return c.next.RoundTrip(r)
}

// ShareContents reads the contents that the ledger knows, and keeps there what is read, for
// what makes no run: that needs no lock. Without the ledger, contents are read again. Close
// the session.
func (s *Session) ShareContents() {
	if !ledger.MayExist(s.Config.LedgerDSN()) {
		return
	}
	s.contents.openWhenAsked(func(ctx context.Context) *ledger.Ledger {
		l, err := ledger.Open(ctx, s.Config.LedgerDSN(), ledger.Options{Now: s.o.Now})
		s.warn("the ledger cannot be opened, so that contents that it knows are read again", err)
		return l
	})
}

// Close writes what ShareContents keeps.
func (s *Session) Close(ctx context.Context) {
	s.warn("the ledger does not keep all contents that were read", s.contents.close(context.WithoutCancel(ctx)))
}

func (s *Session) warn(what string, err error) {
	if log := s.o.Connection.Logger; err != nil && log != nil {
		log.Warn(what, "error", err)
	}
}

// Clusters counts the Kapsule clusters that the API key can see, and the regions that
// it cannot list.
func (s *Session) Clusters(ctx context.Context) (clusters, unlisted int) {
	return sources.NewKapsule(s.Config, s.reader, kube.Options{}).Count(ctx)
}

// serverless are the use sources that the API itself has.
func serverless(reader *scaleway.Reader) []uses.Source {
	var out []uses.Source
	for _, user := range reader.Serverless() {
		out = append(out, uses.Parsed(user.Name, user.List))
	}
	return out
}

// Scan starts a scan.
func (s *Session) Scan(ctx context.Context, scope scanner.Scope) intake.Feed {
	return s.scan(ctx, scope, nil)
}

func (s *Session) scan(ctx context.Context, scope scanner.Scope, cache scanner.Cache) intake.Feed {
	s.Progress.Scan(runs.Scanning, scope)
	return scanner.Scan(ctx, s.reader, scanner.Options{Scope: scope, Concurrency: s.o.Connection.Concurrency, Cache: cache})
}

// Feed starts a scan with the uses of what is in it.
func (s *Session) Feed(ctx context.Context, scope scanner.Scope) intake.Feed {
	s.Progress.do(runs.Asking)
	return intake.WithUses(ctx, s.uses, func() intake.Feed { return s.Scan(ctx, scope) })
}

// MakePlan makes one plan, and records it in the ledger if there is one. The exit code
// is what exit returns for the plan. The run is valid whatever the error: it has what
// was done.
func (s *Session) MakePlan(ctx context.Context, o recorder.Options, exit func(*actions.Plan) int) (runs.Run, error) {
	ctx, stop := s.withDeadline(ctx)
	defer stop()
	run := s.begin(runs.Run{Kind: runs.KindPlan, Trigger: o.Trigger})
	recorder, err := s.startRecording(ctx, runs.KindPlan, o)
	run.ID = recorder.Place().Run
	if err == nil {
		err = bug.Contain(func() (err error) { // so that the ledger is always closed
			run.Plan, err = s.plan(ctx)
			return err
		})
		err = overdue(ctx, err)
		run.Exit = ExitIncomplete
		if err == nil {
			run.Exit = exit(run.Plan)
		}
		if recorder != nil {
			err = errors.Join(err, s.finish(ctx, recorder, run.Exit, err, nil))
		}
	}
	return run.end(overdue(ctx, err))
}

// errOverdue is why a run was ended at its deadline.
var errOverdue = errors.New("the run was ended at its deadline")

// withDeadline returns a context that ends with the run_timeout of a run.
func (s *Session) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := s.Config.RunTimeout
	return context.WithTimeoutCause(ctx, limit.Duration(),
		fmt.Errorf("%w: it took longer than run_timeout (%s): find out what was slow, or set a longer run_timeout", errOverdue, limit))
}

// overdue is the error of a run: a run that reached its deadline has failed, whatever
// its last error is.
func overdue(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case !errors.Is(cause, errOverdue) || errors.Is(err, errOverdue):
		return err
	case err == nil:
		return cause
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// ExplainNow judges what a reference names with every rule, as it is now.
func (s *Session) ExplainNow(ctx context.Context, n lookup.Named) (runs.Answer, error) {
	n, scope, ok := n.Within(Scope(s.Config))
	if !ok {
		return n.OutOfScope(), nil
	}
	return s.Explain(ctx, s.Feed(ctx, scope), n)
}

// oneDay is how old a plan can be without max_plan_age.
const oneDay = 24 * time.Hour

// Approved is the newest plan in the ledger that may be applied now and has enough
// approvals; nil if there is none, or if it has been applied already.
func (s *Session) Approved(ctx context.Context, o recorder.Options) (*actions.Plan, error) {
	l, err := ledger.Open(ctx, s.Config.LedgerDSN(), ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now})
	if err != nil {
		return nil, err
	}
	now, maxAge := startOfRun(s.o.Now), s.Config.Limits.MaxPlanAge.Duration()
	since := now.Add(-cmp.Or(maxAge, oneDay) - oneDay) // a run may have begun long before its scan
	newest, err := admission.Newest(ctx, s.Config, l, since, now, func(plan *actions.Plan) bool {
		return plan.Applicable(now, maxAge) == nil && s.Matches(plan) == nil
	})
	return newest, errors.Join(err, l.Close())
}

// plan makes a plan of the registry as it is now.
func (s *Session) plan(ctx context.Context) (*actions.Plan, error) {
	s.TakenAt = startOfRun(s.o.Now)                                                                  // not when the session began to wait for a lock
	if s.Config.LedgerDSN() == "" || s.Config.Scan.MaxCacheAge.Duration() == 0 || !s.Only.IsZero() { // the cache is of the whole
		return s.Plan(ctx, s.Feed(ctx, s.Scope()))
	}
	return s.planWithCache(ctx, s.recorder.Ledger, func(cache scanner.Cache) intake.Feed {
		s.Progress.do(runs.Asking)
		return intake.WithUses(ctx, s.uses, func() intake.Feed { return s.scan(ctx, s.Scope(), cache) })
	})
}

// startOfRun is the time of a run: cut to the microsecond, as the times of the API
// are.
func startOfRun(now func() time.Time) time.Time { return now().UTC().Truncate(time.Microsecond) }

// activeRun is a run in progress.
type activeRun struct {
	runs.Run
	session *Session
	began   time.Time // by the clock of the machine
}

func (s *Session) begin(run runs.Run) *activeRun {
	run.Started, run.Price, run.Zone = startOfRun(s.o.Now), PriceOf(s.Config), s.Config.Location()
	return &activeRun{Run: run, session: s, began: clock.Now()}
}

// PriceOf returns the price of storage in the configuration.
func PriceOf(c *config.Config) runs.Price {
	return runs.Price{PerGB: c.Cost.PerGBMonth, Currency: c.Cost.Currency, ArchivePerGB: c.ArchivePerGB()}
}

// end completes what is known of the run.
func (r *activeRun) end(err error) (runs.Run, error) {
	r.Duration, r.Sources, r.Calls = clock.Now().Sub(r.began), r.session.uses.Sources(), r.session.calls.Load()
	r.Waivers = r.session.Planner.Waivers()
	copied := &r.session.Progress.Archived
	r.Copies = runs.Copies{Tags: copied.Tags.Load(), Failed: copied.Failed.Load(), Blobs: copied.Blobs.Load(), Bytes: copied.Bytes.Load()}
	r.Judging = time.Duration(r.session.Progress.Judging.Load())
	r.Contents = r.session.contents.counts()
	if err != nil {
		r.Error = err.Error()
		if r.Exit == ExitDone {
			r.Exit = ExitIncomplete
		}
	}
	return r.Run, err
}
