// Package daemon runs the schedules of a configuration: it makes a run when one is
// due, one at a time, loads the configuration again when it changes, and answers
// package web. Of several daemons with the same ledger, one works.
//
// It must never change a registry itself: package janitor makes the runs.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
	"github.com/registry-janitor/registry-janitor/metrics"
)

// Options are how the daemon runs.
type Options struct {
	// ConfigFile is the janitor.yaml; required.
	ConfigFile string
	// Load reads it; nil is config.Load.
	Load func(file string, unneeded ...string) (*config.Config, error)
	// Session is how to reach the API, with the profile of the configuration.
	Session janitor.SessionOptions
	// Version of the program, and who runs it where: "user@host".
	Version, Who string
	// State is where runs that apply are recorded without a ledger.
	State recorder.State
	// RunAtStart makes one run as soon as the daemon works: it applies if a schedule
	// does, and plans otherwise.
	RunAtStart bool
	// EnableApply lets a POST start a run that changes the registry.
	EnableApply bool
	// Reload are the signals to read the configuration again; nil is none.
	Reload <-chan os.Signal
	// Web is where the daemon serves HTTP; nil if it does not.
	Web *web.ServeOptions
	// Views render what Web shows; they are required with it.
	Views web.Views
	// Log receives what the daemon does; nil discards it.
	Log *slog.Logger
}

// Run runs the daemon until the context ends, which lets a run in progress stop at a
// safe point. The error means that the start failed: an invalid configuration, or an
// address in use. Later errors are logged, counted and shown.
func Run(ctx context.Context, o Options) error {
	d, server, err := newDaemon(ctx, o)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if o.Web != nil {
		handler := web.Handler(d, o.Views, web.HandlerOptions{
			Metrics: d.metricsHandler(), EnableApply: o.EnableApply, Hosts: server.Hosts(),
		})
		group.Go(func() error { return server.Serve(ctx, handler) })
	}
	group.Go(func() error { return d.watch(ctx) })
	group.Go(func() error { return d.lead(ctx) })
	err = group.Wait()
	d.log.Info("stopped")
	return err
}

// daemon makes runs when they are due.
type daemon struct {
	o       Options
	log     *slog.Logger
	metrics *metrics.Metrics
	started time.Time
	// slot is taken by the run in progress: there is one at a time.
	slot chan struct{}
	jobs sync.WaitGroup // runs in progress, or about to start
	// loading is held while a configuration is loaded.
	loading sync.Mutex
	// reading is held while the archive is read, so that the latest reading counts.
	reading sync.Mutex

	mu        sync.Mutex
	setup     *setup
	changed   chan struct{} // closed when there is another setup
	reload    runs.Reload
	schedules map[string]*schedule // by name; those of former setups too
	ledger    *ledger.Ledger       // nil without one, and while it cannot be reached
	working   context.Context      // of the runs; nil while another daemon works
	first     bool                 // the run at the start was not made yet
	running   *runs.Running
	progress  *janitor.Progress // of the run in progress
	latest    *runs.Run
	changes   int            // of what the page shows besides progress
	history   []runs.Summary // newest first
	runs      int            // without a ledger, for the next ID
}

func newDaemon(ctx context.Context, o Options) (*daemon, *web.Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Session.Now == nil {
		o.Session.Now = clock.Now
	}
	if o.Load == nil {
		o.Load = config.Load
	}
	d := &daemon{
		o: o, log: o.Log, metrics: metrics.New(o.Version), started: o.Session.Now(), slot: make(chan struct{}, 1),
		changed: make(chan struct{}), schedules: map[string]*schedule{}, first: true,
	}
	d.o.Session.Known = new(janitor.KnownContents)
	d.o.Session.Connection.Observer = d.metrics.Transport
	d.o.Session.Connection.Waited, d.o.Session.Connection.Retried = d.metrics.Waited, d.metrics.Retried
	setup, err := load(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	d.use(setup)
	d.warnIdle(setup)
	if o.Web == nil {
		return d, nil, nil
	}
	server, err := web.Listen(ctx, *o.Web)
	return d, server, err
}

// tryAgain is how long the daemon waits before it tries an unreachable ledger again.
const tryAgain = 5 * time.Second

// lead works whenever no other daemon with the same ledger works.
func (d *daemon) lead(ctx context.Context) error {
	for ctx.Err() == nil {
		err := d.leadOnce(ctx, d.current().config.LedgerDSN())
		if err == nil || ctx.Err() != nil {
			continue
		}
		d.log.Error("the ledger cannot be reached, so no run starts; trying again", "error", err, "in", tryAgain)
		d.metrics.LedgerFailed()
		_ = clock.Sleep(ctx, tryAgain)
	}
	return nil
}

// leadOnce waits until it may lead, and works until the ledger is lost or another one
// is configured.
func (d *daemon) leadOnce(ctx context.Context, dsn string) (err error) {
	if dsn == "" {
		return d.work(ctx, dsn, nil)
	}
	l, err := ledger.Open(ctx, dsn, ledger.Options{Who: d.o.Who, Program: d.program()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	d.set(func() { d.ledger = l })
	defer d.set(func() { d.ledger = nil })
	d.metrics.Leads(false)
	waiting, stop := d.whileConfigured(ctx, dsn)
	defer stop()
	leadership, err := l.Lead(waiting)
	if err != nil {
		if waiting.Err() != nil {
			return nil // the daemon stops, or another ledger is configured
		}
		return err
	}
	defer func() { err = errors.Join(err, leadership.Unlock()) }()
	return d.work(ctx, dsn, leadership.Lost())
}

// whileConfigured is a context that ends when another ledger is configured.
func (d *daemon) whileConfigured(ctx context.Context, dsn string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for {
			s, changed := d.watched()
			if s.config.LedgerDSN() != dsn {
				cancel()
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}

// work runs the schedules until the context ends, the leadership is lost, or another
// ledger is configured. It returns when no run is in progress any more.
func (d *daemon) work(ctx context.Context, dsn string, lost <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.begin(ctx)
	defer d.rest(cancel)
	d.resume(ctx)
	for {
		s, changed := d.watched()
		if s.config.LedgerDSN() != dsn {
			return nil
		}
		clock := d.start(ctx, s)
		select {
		case <-changed:
		case <-ctx.Done():
		case <-lost:
			cancel(errLost)
		}
		<-clock.Stop().Done()
		if ctx.Err() != nil {
			if errors.Is(context.Cause(ctx), errLost) {
				return errLost
			}
			return nil
		}
	}
}

var errLost = errors.New("the connection to the ledger is lost, and another daemon may be active")

func (d *daemon) begin(ctx context.Context) {
	d.set(func() { d.working, d.changes = ctx, d.changes+1 })
	d.metrics.Leads(true)
	d.log.Info("working", "schedules", len(d.current().schedules))
}

func (d *daemon) rest(cancel context.CancelCauseFunc) {
	d.set(func() { d.working, d.changes = nil, d.changes+1 })
	cancel(nil)
	d.jobs.Wait()
	d.metrics.Leads(false)
}

// current returns the setup in force.
func (d *daemon) current() *setup {
	s, _ := d.watched()
	return s
}

// watched returns the setup in force, and what is closed when another one replaces it.
func (d *daemon) watched() (*setup, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setup, d.changed
}

// set changes the state of the daemon.
func (d *daemon) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *daemon) program() string { return "registry-janitor " + d.o.Version }
