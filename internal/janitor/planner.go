package janitor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// MaxSkew is how far the clock of the API and the local one may be apart. Beyond
// it no age can be trusted, and nothing is deleted.
const MaxSkew = 5 * time.Minute

// Feed is a scan, live or recorded.
type Feed interface {
	// Items is closed at the end.
	Items() <-chan scanner.Item
	// Err says, once Items is closed, why it is not whole.
	Err() error
}

// Planner is one pass over a registry.
type Planner struct {
	Config   *config.Config // required
	Policies *policy.Engine // required
	// TakenAt is when the scan started: what "now" means to every rule and guard.
	TakenAt time.Time
	// Forecast marks a plan for another time than that of the scan.
	Forecast bool
	// ScannedAt is when the scan started; zero where that is TakenAt.
	ScannedAt time.Time
	// Skew tells, after the scan, how far the clock of the API was from the local
	// one, if that is known; nil for a recorded scan.
	Skew func() (time.Duration, bool)
	// Recorder, if set, is the ledger that the pass writes to, and that knows since
	// when what is condemned.
	Recorder *Recorder
	// Progress, if set, counts while the pass runs.
	Progress *Progress
}

// Progress counts what a pass has seen so far. It is safe for concurrent use.
type Progress struct {
	Images, Tags, Condemned atomic.Int64
	// Judging is the time that policies took, in nanoseconds, summed over all that
	// judge at once.
	Judging atomic.Int64
}

// Plan judges everything that the feed has and plans what follows from it. The
// error is that of the feed or the context: what a pass could not read or judge
// is in the plan.
func (p *Planner) Plan(ctx context.Context, feed Feed) (*actions.Plan, error) {
	options := p.planOptions()
	builder := &lockedBuilder{Builder: plan.NewBuilder(options)}
	in := newIntake(feed)
	if in.early != nil || looksForUses(p.Config) {
		builder.deferred = new(deferred)
	}
	judge := p.Policies.At(p.TakenAt, policy.WhatCounts).Knowing(in.early)
	group, judging := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			return Contain(func() error {
				for item := range in.items() {
					if err := p.take(judging, item, judge, options, builder); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := feed.Err(); err != nil {
		return nil, err
	}
	if gap := p.clockGap(); gap != nil {
		builder.AddGap(*gap)
		p.hide(gap)
	}
	builder.settle(in.late, options)
	plan := builder.Plan()
	if p.Recorder != nil {
		if err := p.Recorder.record(ctx, plan); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// take judges and plans one item.
func (p *Planner) take(ctx context.Context, item scanner.Item, judge *policy.Judge, o plan.Options, b *lockedBuilder) error {
	switch {
	case item.Image != nil:
		done := p.judging()
		verdict, err := judge.Image(ctx, item.Image)
		done()
		if err != nil {
			return err
		}
		p.count(&verdict)
		p.see(&verdict)
		b.add(verdict, plan.PlanVerdict(verdict, o))
	case item.Listed != nil:
		done := p.judging()
		verdict, err := judge.Namespace(ctx, item.Listed.Namespace, item.Listed.Empty)
		done()
		if err != nil {
			return err
		}
		p.see(&verdict)
		b.add(verdict, plan.PlanVerdict(verdict, o))
	case item.Skipped != nil && item.Skipped.Status != scanner.StatusGone:
		b.do(func(b *plan.Builder) { b.AddSkipped(item.Skipped.Ref, item.Skipped.Status) })
	case item.Gap != nil:
		p.hide(item.Gap)
		b.do(func(b *plan.Builder) { b.AddGap(*item.Gap) })
	}
	return nil
}

// judging takes the time until what it returns is called, if anybody counts.
func (p *Planner) judging() func() {
	if p.Progress == nil {
		return func() {}
	}
	began := clock.Now()
	return func() { p.Progress.Judging.Add(int64(clock.Now().Sub(began))) }
}

func (p *Planner) count(v *registry.Verdict) {
	if p.Progress == nil {
		return
	}
	p.Progress.Images.Add(1)
	p.Progress.Tags.Add(int64(len(v.Image.Tags)))
	for i := range v.Tags {
		if len(v.Tags[i].Delete) > 0 && len(v.Tags[i].Keep) == 0 {
			p.Progress.Condemned.Add(1)
		}
	}
}

// see and hide tell the ledger, if there is one.
func (p *Planner) see(v *registry.Verdict) {
	if p.Recorder != nil {
		p.Recorder.see(v)
	}
}

func (p *Planner) hide(g *registry.Gap) {
	if p.Recorder != nil {
		p.Recorder.hide(g)
	}
}

func (p *Planner) planOptions() plan.Options {
	limits := p.Config.Limits
	o := plan.Options{
		TakenAt:            p.TakenAt,
		ConfigDigest:       p.Config.Digest(),
		PolicyDigest:       p.Policies.Digest(),
		Forecast:           p.Forecast,
		ScannedAt:          p.ScannedAt,
		MinAge:             limits.MinAge.Duration(),
		KeepAtLeast:        limits.KeepAtLeast,
		SharedDigest:       actions.SharedDigest(p.Config.SharedDigest),
		Orphans:            plan.Orphans(p.Config.Attachments.Orphans),
		MaxDeletions:       limits.MaxDeletions,
		MaxDeletionPercent: float64(limits.MaxDeletionPercent),
		Grace:              p.Config.Grace.Duration(),
	}
	if p.Recorder != nil {
		o.CondemnedSince = p.Recorder.since.Since
		o.Anomaly = p.Recorder.anomaly
	}
	return o
}

// clockSubject is what a gap is about that makes every age uncertain.
const clockSubject = "clock"

// clockGap is the gap of a clock so wrong that no age is certain, or nil.
func (p *Planner) clockGap() *registry.Gap {
	if p.Skew == nil {
		return nil
	}
	skew, known := p.Skew()
	if !known || skew.Abs() <= MaxSkew {
		return nil
	}
	return &registry.Gap{
		Subject: clockSubject,
		Error:   fmt.Sprintf("the clock of this machine and that of the API are %s apart, so no age is certain: set the clock", skew.Abs().Round(time.Second)),
		Holds:   registry.HoldsAll,
	}
}

// lockedBuilder lets several judges add to one plan.
type lockedBuilder struct {
	sync.Mutex
	*plan.Builder
	deferred *deferred // nil where no use may show up late
}

// add adds what a verdict came to, now or when all uses are known.
func (b *lockedBuilder) add(v registry.Verdict, part plan.Part) {
	if b.deferred != nil && b.deferred.hold(v, part) {
		return
	}
	b.do(func(b *plan.Builder) { b.Add(part) })
}

// settle adds what was held back, now that every use is known.
func (b *lockedBuilder) settle(late []registry.Use, o plan.Options) {
	if b.deferred != nil {
		b.deferred.settle(b.Builder, late, o)
		return
	}
	for _, gap := range lateGaps(late) {
		b.AddGap(gap)
	}
}

func (b *lockedBuilder) do(f func(*plan.Builder)) {
	b.Lock()
	defer b.Unlock()
	f(b.Builder)
}

// Scope is what the configuration has the scanner look at.
func Scope(c *config.Config) scanner.Scope {
	s := scanner.Scope{
		ProjectIDs:     c.Scaleway.ProjectIDs,
		OrganizationID: c.Scaleway.OrganizationID,
		Include:        c.Scope.Include,
		Exclude:        c.Scope.Exclude,
	}
	if c.Protect.Serverless {
		// What Serverless Functions run is the platform's own, and no function names
		// its image: nobody can tell what of it is in use.
		s.Exclude = append(slices.Clone(s.Exclude), "funcscw*/**")
	}
	for _, region := range c.Scaleway.Regions {
		s.Regions = append(s.Regions, registry.Region(region))
	}
	return s
}
