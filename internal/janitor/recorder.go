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

// recorder writes one run into the ledger.
type recorder struct {
	ledger  *ledger.Ledger
	lock    *ledger.Lock // nil for a run that only plans
	run     *ledger.Run
	since   *ledger.Marked
	anomaly plan.Anomaly
	// journals are the files of earlier versions to import.
	journals []string

	mu       sync.Mutex
	marked   []ledger.MarkedTag
	covered  map[registry.Ref]bool // images and namespaces with a verdict
	unsure   bool                  // about the age of every tag
	readOnly bool
}

// RecorderOptions describe a run for the ledger.
type RecorderOptions struct {
	Kind runs.Kind
	// Trigger started the run: the name of a schedule, or "command".
	Trigger string
	// Who runs the program, and its name and version.
	Who, Program string
	// Wait is how long a run that applies waits for another run to end.
	Wait time.Duration
	// Now is the clock of the records; nil is the wall clock.
	Now func() time.Time
	// State is where a run that applies is recorded when the configuration has no
	// ledger.
	State State
}

// newRecorder opens the ledger, takes its lock if the run applies a plan, and
// begins to record. Without a ledger in the configuration, a run that applies is
// recorded in the state directory, and the recorder of any other run is nil.
func (p *Planner) newRecorder(ctx context.Context, o RecorderOptions) (*recorder, error) {
	l, err := openLedger(ctx, p.Config.LedgerDSN(), o)
	if l == nil || err != nil {
		return nil, err
	}
	r := &recorder{ledger: l, covered: map[registry.Ref]bool{}}
	if p.Config.LedgerDSN() == "" {
		r.journals = o.State.Journals
	}
	if err := r.begin(ctx, p, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p.recorder = r
	return r, nil
}

// openLedger opens the ledger for a run, and returns nil if the run is not recorded.
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

func (r *recorder) begin(ctx context.Context, p *Planner, o RecorderOptions) (err error) {
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

// read reads what a plan needs to know from the ledger.
func (r *recorder) read(ctx context.Context, p *Planner) (err error) {
	if r.since, err = r.ledger.Marked(ctx); err != nil {
		return err
	}
	r.anomaly.Factor = p.Config.AnomalyFactor()
	r.anomaly.Usual, r.anomaly.Runs, err = r.ledger.MedianDeletions(ctx, medianRuns)
	return err
}

// id is the number of the run in the ledger; "" for a run that is not recorded.
func (r *recorder) id() string {
	if r == nil {
		return ""
	}
	return strconv.FormatInt(r.run.ID(), 10)
}

// addVerdict notes an image or a namespace with its marked tags.
func (r *recorder) addVerdict(v *registry.Verdict) {
	if v.Err != nil || r.readOnly {
		return
	}
	subject := v.Namespace.Ref()
	if v.Image != nil {
		subject = v.Image.Ref()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.covered[subject] = true
	for i, t := range v.Tags {
		if len(t.Keep) == 0 && isEnforced(t.Delete) {
			tag := &v.Image.Tags[i]
			r.marked = append(r.marked, ledger.MarkedTag{
				ID: tag.ID, Digest: tag.Digest, Ref: v.Image.TagRef(tag.Name).String(), Reasons: t.Delete,
			})
		}
	}
}

// isEnforced reports whether a rule that is enforced marks the tag: only such a rule
// starts the grace.
func isEnforced(reasons []registry.Reason) bool {
	return slices.ContainsFunc(reasons, func(r registry.Reason) bool { return !r.ReportOnly })
}

// addGap notes a gap that makes the age of every tag uncertain.
func (r *recorder) addGap(g *registry.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsure = r.unsure || g.Subject == clockSubject
}

// covers reports whether the run has a verdict on the object of a reference.
func (r *recorder) covers(ref registry.Ref) bool {
	return r.covered[ref.WithoutTag()]
}

// record writes the plan that the run made, and the marked tags.
func (r *recorder) record(ctx context.Context, plan *actions.Plan) error {
	if r.readOnly {
		return nil
	}
	if !r.unsure {
		if err := r.run.Mark(ctx, ledger.Observation{At: plan.TakenAt, Tags: r.marked, Covered: r.covers}); err != nil {
			return err
		}
	}
	return r.run.Plan(ctx, plan, r.covers)
}

// recordGiven writes a plan that was read from a file.
func (r *recorder) recordGiven(ctx context.Context, plan *actions.Plan) error {
	return r.run.Plan(ctx, plan, nil)
}

// resolveInterrupted finds out the results of steps that earlier runs left open, by
// reading the registry, and records them. It returns how many there were.
func (r *recorder) resolveInterrupted(ctx context.Context, e apply.Editor, o apply.ApplyOptions) (int, error) {
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

// finish writes how the run ended: the exit code, the error, and the results of the
// steps.
func (r *recorder) finish(ctx context.Context, exit int, cause error, outcome *actions.Outcome) error {
	e := ledger.Ending{Status: ledger.StatusFinished, Exit: exit, Outcome: outcome}
	if cause != nil {
		e.Status, e.Message = ledger.StatusFailed, cause.Error()
	}
	if ctx.Err() != nil || errors.Is(cause, apply.ErrStopped) {
		e.Status = ledger.StatusInterrupted
	}
	return r.run.Finish(context.WithoutCancel(ctx), e)
}

// medianRuns is how many runs the median of the anomaly limit counts.
const medianRuns = 10

// close releases the lock.
func (r *recorder) close() error { return r.ledger.Close() }

// ReadLedger reads since when tags are marked, and how many deletions are usual,
// without recording the run: for a recorded scan or a forecast, which do not describe
// the present.
func (p *Planner) ReadLedger(ctx context.Context) error {
	if p.Config.LedgerDSN() == "" {
		return nil
	}
	l, err := ledger.Open(ctx, p.Config.LedgerDSN(), ledger.Options{})
	if err != nil {
		return err
	}
	r := &recorder{ledger: l, readOnly: true}
	if err := r.read(ctx, p); err != nil {
		return errors.Join(err, l.Close())
	}
	p.recorder = r
	return l.Close()
}
