package janitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Recorder writes a pass, and what is applied after it, into the ledger.
type Recorder struct {
	ledger  *ledger.Ledger
	lock    *ledger.Lock // nil for a pass that applies nothing
	run     *ledger.Run
	since   *ledger.Marked
	anomaly plan.Anomaly
	// journals are the files of earlier versions that Interrupted imports.
	journals []string

	mu     sync.Mutex
	marked []ledger.MarkedTag
	judged map[registry.Ref]bool // images and namespaces
	blind  bool                  // no age is certain
	silent bool                  // it only knows, and records nothing
}

// RecorderOptions say who records what.
type RecorderOptions struct {
	Kind runs.Kind
	// Trigger is what started the run: the name of a schedule, or "command".
	Trigger string
	// Who runs the program, and which program it is.
	Who, Program string
	// Wait is how long to wait for another run to end, for a run that applies.
	Wait time.Duration
	// Now is the clock of the records; nil is the wall clock.
	Now func() time.Time
	// State is where a run that applies is recorded when the configuration has no
	// ledger.
	State State
}

// NewRecorder opens the ledger, takes its lock if the run applies a plan, and
// begins to record. Without a ledger in the configuration, a run that applies is
// recorded in the state directory, and the recorder of any other run is nil.
func (p *Planner) NewRecorder(ctx context.Context, o RecorderOptions) (*Recorder, error) {
	l, err := openLedger(ctx, p.Config.LedgerDSN(), o)
	if l == nil || err != nil {
		return nil, err
	}
	r := &Recorder{ledger: l, judged: map[registry.Ref]bool{}}
	if p.Config.LedgerDSN() == "" {
		r.journals = o.State.Journals
	}
	if err := r.begin(ctx, p, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p.Recorder = r
	return r, nil
}

// openLedger returns nil where a run is not recorded.
func openLedger(ctx context.Context, dsn string, o RecorderOptions) (*ledger.Ledger, error) {
	if dsn != "" {
		return ledger.Open(ctx, dsn, ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now})
	}
	if o.Kind != runs.KindApply {
		return nil, nil
	}
	l, err := ledger.Open(ctx, o.State.ledger(), ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("%w: every step must be recorded, so nothing was applied: name another directory with --state-dir, or set ledger.dsn", err)
	}
	return l, nil
}

func (r *Recorder) begin(ctx context.Context, p *Planner, o RecorderOptions) (err error) {
	if o.Kind == runs.KindApply {
		if r.lock, err = r.ledger.Lock(ctx, o.Wait); err != nil {
			return err
		}
	}
	r.run, err = r.ledger.Begin(ctx, ledger.RunInfo{
		Kind: o.Kind, Trigger: o.Trigger, ConfigDigest: p.Config.Digest(), PolicyDigest: p.Policies.Digest(),
	})
	if err != nil {
		return err
	}
	return r.read(ctx, p)
}

// read learns from the ledger what a plan depends on.
func (r *Recorder) read(ctx context.Context, p *Planner) (err error) {
	if r.since, err = r.ledger.Marked(ctx); err != nil {
		return err
	}
	r.anomaly.Factor = p.Config.AnomalyFactor()
	r.anomaly.Usual, r.anomaly.Runs, err = r.ledger.MedianDeletions(ctx, medianRuns)
	return err
}

// Journal takes the steps that are applied.
func (r *Recorder) Journal() apply.Journal { return r.run }

// ID names the run in the ledger; "" of no recorder.
func (r *Recorder) ID() string {
	if r == nil {
		return ""
	}
	return strconv.FormatInt(r.run.ID(), 10)
}

// Lost is closed when another process may apply something too.
func (r *Recorder) Lost() <-chan struct{} {
	if r.lock == nil {
		return nil
	}
	return r.lock.Lost()
}

// see remembers what was judged, and what was condemned in it.
func (r *Recorder) see(v *registry.Verdict) {
	if v.Err != nil || r.silent {
		return
	}
	subject := v.Namespace.Ref()
	if v.Image != nil {
		subject = v.Image.Ref()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judged[subject] = true
	for i, t := range v.Tags {
		if len(t.Keep) == 0 && isEnforced(t.Delete) {
			tag := &v.Image.Tags[i]
			r.marked = append(r.marked, ledger.MarkedTag{
				ID: tag.ID, Digest: tag.Digest, Ref: v.Image.TagRef(tag.Name).String(), Reasons: t.Delete,
			})
		}
	}
}

// isEnforced reports whether a rule condemns that is more than shown: the grace
// begins when somebody means it.
func isEnforced(reasons []registry.Reason) bool {
	return slices.ContainsFunc(reasons, func(r registry.Reason) bool { return !r.ReportOnly })
}

// hide remembers a gap that makes every age uncertain.
func (r *Recorder) hide(g *registry.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blind = r.blind || g.Subject == clockSubject
}

// knows reports whether the pass judged what the reference names.
func (r *Recorder) knows(ref registry.Ref) bool {
	return r.judged[ref.WithoutTag()]
}

// record writes the plan that the pass made, and since when what is condemned.
func (r *Recorder) record(ctx context.Context, plan *actions.Plan) error {
	if r.silent {
		return nil
	}
	if !r.blind {
		if err := r.run.Mark(ctx, ledger.Observation{At: plan.TakenAt, Tags: r.marked, Covered: r.knows}); err != nil {
			return err
		}
	}
	return r.run.Plan(ctx, plan, r.knows)
}

// Given writes a plan that was read from a file.
func (r *Recorder) Given(ctx context.Context, plan *actions.Plan) error {
	return r.run.Plan(ctx, plan, nil)
}

// Interrupted resolves what earlier runs left behind, by reading: what became of
// steps that were sent and of which no result is known. It returns how many.
func (r *Recorder) Interrupted(ctx context.Context, e apply.Editor, o apply.ApplyOptions) (int, error) {
	for _, path := range r.journals {
		if _, err := r.ledger.ImportJournal(ctx, path); err != nil {
			return 0, err
		}
	}
	runs, err := r.ledger.Interrupted(ctx)
	if err != nil {
		return 0, err
	}
	resolved := 0
	for _, run := range runs {
		for _, result := range apply.Resolve(ctx, run.Steps, e, o) {
			if err := r.ledger.Resolve(ctx, run.ID, result); err != nil {
				return resolved, err
			}
			resolved++
		}
	}
	return resolved, nil
}

// Finish writes how the run ended: with which exit code and error, and what
// became of the steps.
func (r *Recorder) Finish(ctx context.Context, exit int, cause error, outcome *actions.Outcome) error {
	e := ledger.Ending{Status: ledger.StatusFinished, Exit: exit, Outcome: outcome}
	if cause != nil {
		e.Status, e.Message = ledger.StatusFailed, cause.Error()
	}
	if ctx.Err() != nil || errors.Is(cause, apply.ErrStopped) {
		e.Status = ledger.StatusInterrupted
	}
	return r.run.Finish(context.WithoutCancel(ctx), e)
}

// medianRuns is of how many runs the median is taken.
const medianRuns = 10

// Close gives the lock back.
func (r *Recorder) Close() error { return r.ledger.Close() }

// ReadLedger lets the pass know since when tags are condemned, and how much is
// usually deleted, without recording anything: for a recorded scan or a forecast,
// which say nothing about now.
func (p *Planner) ReadLedger(ctx context.Context) error {
	if p.Config.LedgerDSN() == "" {
		return nil
	}
	l, err := ledger.Open(ctx, p.Config.LedgerDSN(), ledger.Options{})
	if err != nil {
		return err
	}
	r := &Recorder{ledger: l, silent: true}
	if err := r.read(ctx, p); err != nil {
		return errors.Join(err, l.Close())
	}
	p.Recorder = r
	return l.Close()
}
