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
	"github.com/registry-janitor/registry-janitor/actions/resolve"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// RecorderOptions are how a run is recorded.
type RecorderOptions struct {
	// Trigger is what started the run: the name of a schedule, or "command".
	Trigger string
	// Who runs the program, and which program it is.
	Who, Program string
	// Wait is how long a run that applies waits for another one to end.
	Wait time.Duration
	// Now is the clock of the records; nil is the wall clock.
	Now func() time.Time
	// State is where a run that applies is recorded when the configuration has no
	// ledger.
	State State
}

func (o RecorderOptions) now() time.Time {
	if o.Now == nil {
		return clock.Now()
	}
	return o.Now()
}

// history is what a plan needs from the ledger.
type history struct {
	since   *ledger.Marked // since when tags have been marked
	anomaly plan.Anomaly
	// sharedDigest is what probes found out, by region; only with shared_digest: auto.
	sharedDigest map[registry.Region]actions.SharedDigest
}

// medianRuns is the number of runs whose deletions are usual.
const medianRuns = 10

func (p *Planner) readHistory(ctx context.Context, l *ledger.Ledger) (err error) {
	var h history
	if h.since, err = l.Marked(ctx); err != nil {
		return err
	}
	h.anomaly.Factor = p.Config.AnomalyFactor()
	if h.anomaly.Usual, h.anomaly.Runs, err = l.MedianDeletions(ctx, medianRuns); err != nil {
		return err
	}
	if p.Config.SharedDigest == config.SharedDigestAuto {
		if h.sharedDigest, err = readProbes(ctx, l, p.TakenAt); err != nil {
			return err
		}
	}
	p.history = &h
	return nil
}

// ReadLedger reads what a plan depends on, and records nothing: for an inventory or a
// forecast, which do not describe the present.
func (p *Planner) ReadLedger(ctx context.Context) error {
	if p.Config.LedgerDSN() == "" {
		return nil
	}
	l, err := ledger.Open(ctx, p.Config.LedgerDSN(), ledger.Options{})
	if err != nil {
		return err
	}
	return errors.Join(p.readHistory(ctx, l), l.Close())
}

// recorder writes a run into the ledger.
type recorder struct {
	ledger *ledger.Ledger
	lock   *ledger.Lock // nil for a run that applies nothing
	// contents are kept in the ledger.
	contents *contents
	run      *ledger.Run
	old      time.Time // runs from before it that only planned are forgotten
	// journals are the files of earlier versions that resolve imports.
	journals []string

	mu        sync.Mutex
	marked    []ledger.MarkedTag
	judged    map[registry.Ref]bool // images and namespaces
	uncertain bool                  // no age is certain
}

// startRecording opens the ledger, takes its lock if the run applies a plan, and
// begins to record. Without a ledger in the configuration, a run that applies is
// recorded in the state directory, and the recorder of any other run is nil.
func (p *Planner) startRecording(ctx context.Context, kind runs.Kind, o RecorderOptions) (*recorder, error) {
	l, err := openLedger(ctx, p.Config.LedgerDSN(), kind, o)
	if l == nil || err != nil {
		return nil, err
	}
	r := &recorder{ledger: l, old: o.now().Add(-p.Config.Ledger.Keep.Runs.Duration()), judged: map[registry.Ref]bool{}, contents: p.contents}
	if p.Config.LedgerDSN() == "" {
		r.journals = o.State.Journals
	}
	if kind == runs.KindApply {
		r.lock, err = l.Lock(ctx, o.Wait)
	}
	if err == nil {
		r.run, err = l.Begin(ctx, ledger.RunInfo{
			Kind: kind, Trigger: o.Trigger, ConfigDigest: p.Config.Digest(), PolicyDigest: p.Policies.Digest(),
		})
	}
	if err == nil {
		err = p.readHistory(ctx, l)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p.recorder = r
	p.contents.keepIn(l)
	return r, nil
}

// openLedger returns nil if the run is not recorded.
func openLedger(ctx context.Context, dsn string, kind runs.Kind, o RecorderOptions) (*ledger.Ledger, error) {
	options := ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now}
	switch {
	case dsn != "":
		return ledger.Open(ctx, dsn, options)
	case kind != runs.KindApply:
		return nil, nil
	}
	l, err := ledger.Open(ctx, o.State.ledger(), options)
	if err != nil {
		return nil, fmt.Errorf("%w: every step must be recorded, so nothing was applied: name another directory with --state-dir, or set ledger.dsn", err)
	}
	return l, nil
}

// id names the run in the ledger; "" without a recorder.
func (r *recorder) id() string {
	if r == nil {
		return ""
	}
	return strconv.FormatInt(r.run.ID(), 10)
}

// add notes a decision: that something was judged, and which of its tags are marked.
func (r *recorder) add(d *decision) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if gap := d.item.Gap; gap != nil && gap.Subject == actions.ClockSubject && gap.Holds == registry.HoldsAll {
		r.uncertain = true
	}
	if d.item.Quiet != nil {
		r.judged[d.item.Quiet.Image.Ref()] = true // and nothing is marked
	}
	v := d.verdict
	if v == nil || v.Err != nil || d.unread != nil {
		return
	}
	r.judged[d.ref()] = true
	for i, t := range v.Tags {
		if len(t.Keep) == 0 && isEnforced(t.Delete) {
			tag := &v.Image.Tags[i]
			r.marked = append(r.marked, ledger.MarkedTag{
				ID: tag.ID, Digest: tag.Digest, Ref: v.Image.TagRef(tag.Name).String(), Reasons: t.Delete,
			})
		}
	}
}

// isEnforced reports whether a rule marks that is not only shown: grace begins when a
// rule is enforced.
func isEnforced(reasons []registry.Reason) bool {
	return slices.ContainsFunc(reasons, func(r registry.Reason) bool { return !r.ReportOnly })
}

// covers reports whether the run judged what the reference names.
func (r *recorder) covers(ref registry.Ref) bool { return r.judged[ref.WithoutTag()] }

// plan writes the plan that the run made, and since when tags have been marked.
func (r *recorder) plan(ctx context.Context, plan *actions.Plan) error {
	if r == nil {
		return nil
	}
	if !r.uncertain {
		if err := r.run.Mark(ctx, ledger.Observation{At: plan.TakenAt, Tags: r.marked, Covered: r.covers}); err != nil {
			return err
		}
	}
	return r.run.Plan(ctx, plan, r.covers)
}

// resolve reads what became of steps that earlier runs sent and whose results are not
// known. It returns how many there are.
func (r *recorder) resolve(ctx context.Context, g resolve.Reader) (int, error) {
	for _, path := range r.journals {
		if _, err := r.ledger.ImportJournal(ctx, path); err != nil {
			return 0, err
		}
	}
	interrupted, err := r.ledger.Interrupted(ctx)
	if err != nil {
		return 0, err
	}
	resolved := 0
	for _, run := range interrupted {
		for _, result := range resolve.Interrupted(ctx, run.Steps, g) {
			if err := r.ledger.Resolve(ctx, run.Run, result); err != nil {
				return resolved, err
			}
			resolved++
		}
	}
	return resolved, nil
}

// finish writes how the run ended, and closes the ledger, which gives the lock back.
func (r *recorder) finish(ctx context.Context, exit int, cause error, outcome *actions.Outcome) error {
	e := ledger.Ending{Status: ledger.StatusFinished, Exit: exit, Outcome: outcome}
	if cause != nil {
		e.Status, e.Message = ledger.StatusFailed, cause.Error()
	}
	if errors.As(cause, new(declined)) {
		e.Status = ledger.StatusDeclined
	}
	if (ctx.Err() != nil || errors.Is(cause, apply.ErrStopped)) && !errors.Is(cause, errOverdue) {
		e.Status = ledger.StatusInterrupted
	}
	return errors.Join(r.contents.close(context.WithoutCancel(ctx)), r.run.Finish(context.WithoutCancel(ctx), e), r.ledger.Forget(context.WithoutCancel(ctx), r.old), r.ledger.Close())
}
