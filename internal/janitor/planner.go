package janitor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/lint"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// maxSkew is how far the clock of the API and the local one may be apart. Beyond
// that no age can be trusted, and nothing is deleted.
const maxSkew = 5 * time.Minute

// Planner makes plans, comparisons and explanations of what is in a feed, by one
// configuration.
type Planner struct {
	Config   *config.Config // required
	Policies *policy.Engine // required
	// TakenAt is when the scan started: the time that every rule and guard uses.
	TakenAt time.Time
	// Forecast marks a plan for a time other than the time of the scan.
	Forecast bool
	// ScannedAt is when the scan started; zero if that is TakenAt.
	ScannedAt time.Time
	// Clock compares, after the scan, the clock of the API with the local one; nil for a
	// recorded scan.
	Clock Clock
	// Only narrows the scope of the configuration to a part.
	Only scanner.Narrowing
	// AtMost holds all deletions of a plan except this many, the oldest; 0 holds none.
	AtMost int
	// Full lists every image, and does not use the cache of the ledger.
	Full bool
	// ExplainKept is the largest registry, in tags, for which a plan gives for each tag why it is
	// kept: Stats.Kept. 0 is none.
	ExplainKept int
	// Progress, if set, counts during the run.
	Progress *Progress

	contents *contents                                         // nil if none can be read
	decides  func(*registry.Image, *registry.Verdict) []string // nil: what the policies need
	cache    *cache                                            // nil if every image is listed
	history  *history                                          // nil without a ledger
	recorder *recorder.Recorder                                // nil if the run is not recorded
	// connection is how to reach the provider, where the archive is one of its registries.
	connection scaleway.Options
	restored   registry.Restorations // from the archive
}

// Clock compares the clock of the API with the local one.
type Clock interface {
	// Skew returns how far they were apart, if that is known.
	Skew() (time.Duration, bool)
	// Undated reports whether any answer of the API did not show its clock.
	Undated() bool
}

// Plan judges everything in the feed and plans what follows. The error is that of
// the feed, the context or the ledger: what could not be read or judged is in the
// plan.
func (p *Planner) Plan(ctx context.Context, feed intake.Feed) (*actions.Plan, error) {
	options := p.planOptions()
	var err error
	if options.Archives, err = archivist.Selects(p.Config, p.TakenAt); err != nil {
		return nil, err
	}
	in, c := intake.New(feed), newCollector(options)
	if gap := p.restoredGap(ctx); gap != nil {
		c.add(&decision{item: scanner.Item{Gap: gap}})
	}
	c.waits = in.Early != nil || sources.Any(p.Config)
	kept := p.newKeptTags(in.Early)
	references := sources.ReferencesName(p.Config)
	unused, err := lint.NewUnused(p.Config, references, in.Early)
	if err != nil {
		return nil, err
	}
	err = forEach(ctx, in, func(decisions []*decision) {
		d := decisions[0]
		p.recorder.Add(d.item, d.verdict, d.unread)
		if !p.skewed() {
			p.cache.keep(ctx, d, p.restored)
		}
		c.add(d)
		show(unused, d.item, references)
		kept.add(ctx, d)
	}, p.judge(policy.WhatCounts, in.Early, options))
	if err != nil {
		return nil, err
	}
	c.builder.Warn(p.endings()...)
	if p.Only.IsZero() { // what a part does not show, the whole may
		c.builder.Warn(unused.Warnings()...)
	}
	if p.cache != nil && unused.MissesTags() {
		p.cache.Distrust() // what is quiet hides its tags, and with them that they match nothing
	}
	if err := c.refusal(); err != nil {
		return nil, err
	}
	gap := p.clockGap()
	p.recorder.Add(scanner.Item{Gap: gap}, nil, nil)
	plan := c.plan(in.Late, gap)
	if c.builder.Doubted(plan) {
		return nil, errDoubted
	}
	plan.Stats.Kept = kept.without(plan)
	if err := p.recorder.Planned(ctx, plan); err != nil {
		return nil, err
	}
	return plan, nil
}

// Matches refuses a plan that was made with another configuration or other policies.
func (p *Planner) Matches(plan *actions.Plan) error {
	switch {
	case plan.ConfigDigest != p.Config.Digest():
		return fmt.Errorf("the plan is of another configuration (%s, and this one is %s): make a new plan, or use the configuration that it was made with", plan.ConfigDigest, p.Config.Digest())
	case plan.PolicyDigest != p.Policies.Digest():
		return fmt.Errorf("the plan was made with other policies (%s, and these are %s): make a new plan", plan.PolicyDigest, p.Policies.Digest())
	}
	return nil
}

// Lint compares the rules with everything in the feed, and finds those that do
// nothing, or more than they should. It plans nothing.
func (p *Planner) Lint(ctx context.Context, feed intake.Feed) (*runs.Lint, error) {
	planned := p.planOptions()
	options := planned
	options.Grace = 0 // to find what would be deleted without it, and without keep_at_least
	options.Local = func(ref registry.Ref) (time.Duration, int) {
		minAge, _ := p.Config.Limits.At(ref.Namespace, ref.Image)
		return minAge, 0
	}
	in := intake.New(feed)
	judge := p.judge(policy.Everything, nil, options)
	l := lint.New(p.Config, judge.Judge, p.TakenAt)
	err := forEach(ctx, in, func(decisions []*decision) {
		switch d := decisions[0]; {
		case d.verdict != nil:
			l.Add(d.verdict, plan.Decide(*d.verdict, planned), d.part)
		case d.item.Gap != nil:
			l.AddGap(d.item.Gap.Subject, d.item.Gap.Error)
		}
		if gap := decisions[0].unread; gap != nil {
			l.AddGap(gap.Subject, gap.Error)
		}
	}, judge)
	if err != nil {
		return nil, err
	}
	if gap := p.clockGap(); gap != nil && gap.Holds != registry.HoldsNothing {
		l.AddGap(gap.Subject, gap.Error)
	}
	return l.Result(), nil
}

func (p *Planner) planOptions() plan.Options {
	limits := p.Config.Limits
	o := plan.Options{
		TakenAt:            p.TakenAt,
		ConfigDigest:       p.Config.Digest(),
		PolicyDigest:       p.Policies.Digest(),
		Forecast:           p.Forecast,
		Narrowed:           p.Only.Words(),
		ScannedAt:          p.ScannedAt,
		Local:              func(ref registry.Ref) (time.Duration, int) { return limits.At(ref.Namespace, ref.Image) },
		SharedDigestIn:     p.sharedDigest,
		Orphans:            plan.Orphans(p.Config.Attachments.Orphans),
		Content:            plan.Content{Read: plan.ReadContent(p.Config.Content.Read), MultiArch: plan.MultiArch(p.Config.Content.MultiArch)},
		AtMost:             p.AtMost,
		MaxDeletions:       limits.MaxDeletions,
		MaxDeletionPercent: float64(limits.MaxDeletionPercent),
		Grace:              p.Config.Grace.Duration(),
	}
	if p.history != nil {
		o.MarkedSince = p.history.since.Since
		o.Anomaly = p.history.anomaly
	}
	return o
}

// readRestored reads what was restored from the archive, which rules leave alone.
func (p *Planner) readRestored(ctx context.Context) (err error) {
	var recorded []ledger.Event
	if p.history != nil {
		recorded = p.history.restored
	}
	p.restored, err = archivist.Restorations(ctx, p.Config, p.connection, recorded)
	return err
}

// restoredGap is the gap of an archive that cannot be read: any tag may be one that was
// restored. It is nil if it can be.
func (p *Planner) restoredGap(ctx context.Context) *registry.Gap {
	if err := p.readRestored(ctx); err != nil {
		return &registry.Gap{Subject: "archive", Error: err.Error() + ": what was restored is not known", Holds: registry.HoldsAll}
	}
	return nil
}

// clockGap is the gap of a clock so wrong that no age is certain, or of one that could
// not always be compared, which holds nothing; nil if there is neither.
func (p *Planner) clockGap() *registry.Gap {
	if p.Clock == nil {
		return nil
	}
	if p.skewed() {
		skew, _ := p.Clock.Skew()
		return &registry.Gap{
			Subject: actions.ClockSubject,
			Error:   fmt.Sprintf("the clock of this machine and that of the API are %s apart, so no age is certain: set the clock", skew.Abs().Round(time.Second)),
			Holds:   registry.HoldsAll,
		}
	}
	if p.Clock.Undated() {
		return &registry.Gap{
			Subject: actions.ClockSubject,
			Error:   "an answer of the API has no usable Date header, so the clock of this machine was not compared with it: check the clock, and what is between this machine and the API",
			Holds:   registry.HoldsNothing,
		}
	}
	return nil
}

// skewed reports whether the clock is known to be so wrong that no age is certain.
func (p *Planner) skewed() bool {
	if p.Clock == nil {
		return false
	}
	skew, known := p.Clock.Skew()
	return known && skew.Abs() > maxSkew
}

// Scope is the part of the registry that the plan is about.
func (p *Planner) Scope() scanner.Scope {
	s := Scope(p.Config)
	s.Only = p.Only
	return s
}

// Scope is the part of the registry that the configuration has scanned.
func Scope(c *config.Config) scanner.Scope {
	s := scanner.Scope{
		ProjectIDs:     c.Scaleway.ProjectIDs,
		OrganizationID: c.Scaleway.OrganizationID,
		Include:        c.Scope.Include,
		Exclude:        c.Scope.Exclude,
	}
	if c.Protect.Serverless {
		// The images of Serverless Functions belong to the platform, and no function
		// names its image: what of them is in use cannot be known.
		s.Exclude = append(slices.Clone(s.Exclude), "funcscw*/**")
	}
	for _, region := range c.Scaleway.Regions {
		s.Regions = append(s.Regions, registry.Region(region))
	}
	return s
}
