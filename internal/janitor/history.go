package janitor

import (
	"context"
	"errors"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/probe"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// history is what a plan needs from the ledger.
type history struct {
	since   *ledger.Marked // since when tags have been marked
	anomaly plan.Anomaly
	// untags are the regions whose API removes only the tag when one of several tags of a
	// digest is deleted, as probes found out; only with shared_digest: auto.
	untags map[registry.Region]bool
	// restored is what was restored, and may have to stay; only with an archive.
	restored []ledger.Event
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
		if h.untags, err = probe.Untags(ctx, l, p.TakenAt); err != nil {
			return err
		}
	}
	if a := p.Config.Archive; a != nil {
		if h.restored, err = l.RestoredSince(ctx, p.TakenAt.Add(-a.RestoredStay.Duration())); err != nil {
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

// sharedDigest is what the API of a region does to a digest of which one tag is deleted:
// as the configuration says, or as a probe found out.
func (p *Planner) sharedDigest(region registry.Region) actions.SharedDigest {
	switch {
	case p.Config.SharedDigest != config.SharedDigestAuto:
		return actions.SharedDigest(p.Config.SharedDigest)
	case p.history != nil && p.history.untags[region]:
		return actions.Untag
	}
	return actions.Protect
}

// startRecording begins to record a run, and reads what its plan needs from the ledger.
// The recorder is nil if the run is not recorded.
func (p *Planner) startRecording(ctx context.Context, kind runs.Kind, o recorder.Options) (*recorder.Recorder, error) {
	run := ledger.RunInfo{Kind: kind, Trigger: o.Trigger, ConfigDigest: p.Config.Digest(), PolicyDigest: p.Policies.Digest()}
	r, err := recorder.Start(ctx, p.Config, run, o)
	if r == nil || err != nil {
		return nil, err
	}
	if err := p.readHistory(ctx, r.Ledger); err != nil {
		return nil, errors.Join(err, r.Ledger.Close())
	}
	p.recorder = r
	p.contents.keepIn(r.Ledger)
	return r, nil
}

// finish records how a run ended.
func (p *Planner) finish(ctx context.Context, r *recorder.Recorder, exit int, cause error, outcome *actions.Outcome) error {
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
	return errors.Join(p.contents.close(context.WithoutCancel(ctx)), r.Finish(ctx, e))
}
