package janitor

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/config"
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

// Pass is one pass over a registry.
type Pass struct {
	Config   *config.Config // required
	Policies *policy.Engine // required
	// TakenAt is when the scan started: what "now" means to every rule and guard.
	TakenAt time.Time
	// Forecast marks a plan for another time than that of the scan.
	Forecast bool
	// Skew tells, after the scan, how far the clock of the API was from the local
	// one, if that is known; nil for a recorded scan.
	Skew func() (time.Duration, bool)
	// Progress, if set, counts while the pass runs.
	Progress *Progress
}

// Progress counts what a pass has seen so far. It is safe for concurrent use.
type Progress struct {
	Images, Tags, Condemned atomic.Int64
}

// Plan judges everything that the feed has and plans what follows from it. The
// error is that of the feed or the context: what a pass could not read or judge
// is in the plan.
func (p *Pass) Plan(ctx context.Context, feed Feed) (*actions.Plan, error) {
	options := p.planOptions()
	builder := &lockedBuilder{Builder: actions.NewBuilder(options)}
	judge := p.Policies.At(p.TakenAt, policy.WhatCounts)
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for item := range feed.Items() {
				if err := p.take(ctx, item, judge, options, builder); err != nil {
					return err
				}
			}
			return nil
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
	}
	return builder.Plan(), nil
}

// take judges and plans one item.
func (p *Pass) take(ctx context.Context, item scanner.Item, judge *policy.Judge, o actions.Options, b *lockedBuilder) error {
	switch {
	case item.Image != nil:
		verdict, err := judge.Image(ctx, item.Image)
		if err != nil {
			return err
		}
		p.count(&verdict)
		part := actions.PlanVerdict(verdict, o)
		b.do(func(b *actions.Builder) { b.Add(part) })
	case item.Listed != nil:
		verdict, err := judge.Namespace(ctx, item.Listed.Namespace, item.Listed.Empty)
		if err != nil {
			return err
		}
		part := actions.PlanVerdict(verdict, o)
		b.do(func(b *actions.Builder) { b.Add(part) })
	case item.Skipped != nil && item.Skipped.Status != scanner.StatusGone:
		b.do(func(b *actions.Builder) { b.AddSkipped(item.Skipped.Ref, item.Skipped.Status) })
	case item.Gap != nil:
		b.do(func(b *actions.Builder) { b.AddGap(*item.Gap) })
	}
	return nil
}

func (p *Pass) count(v *registry.Verdict) {
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

func (p *Pass) planOptions() actions.Options {
	limits := p.Config.Limits
	return actions.Options{
		TakenAt:            p.TakenAt,
		ConfigDigest:       p.Config.Digest(),
		PolicyDigest:       p.Policies.Digest(),
		Forecast:           p.Forecast,
		MinAge:             limits.MinAge.Duration(),
		KeepAtLeast:        limits.KeepAtLeast,
		SharedDigest:       actions.SharedDigest(p.Config.SharedDigest),
		MaxDeletions:       limits.MaxDeletions,
		MaxDeletionPercent: float64(limits.MaxDeletionPercent),
	}
}

// clockGap is the gap of a clock so wrong that no age is certain, or nil.
func (p *Pass) clockGap() *registry.Gap {
	if p.Skew == nil {
		return nil
	}
	skew, known := p.Skew()
	if !known || skew.Abs() <= MaxSkew {
		return nil
	}
	return &registry.Gap{
		Subject: "clock",
		Error:   fmt.Sprintf("the clock of this machine and that of the API are %s apart, so no age is certain: set the clock", skew.Abs().Round(time.Second)),
		Blinds:  registry.BlindsAll,
	}
}

// lockedBuilder lets several judges add to one plan.
type lockedBuilder struct {
	sync.Mutex
	*actions.Builder
}

func (b *lockedBuilder) do(f func(*actions.Builder)) {
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
	for _, region := range c.Scaleway.Regions {
		s.Regions = append(s.Regions, registry.Region(region))
	}
	return s
}

// Policies compiles the policy set of a configuration.
func Policies(ctx context.Context, c *config.Config, o policy.Options) (*policy.Engine, error) {
	o.Config = c.Document()
	o.Paths = c.PolicyPaths()
	o.Dir = filepath.Dir(c.File)
	return policy.New(ctx, o)
}
