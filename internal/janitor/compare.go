package janitor

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Compare judges the scan of the pass by another configuration too. The scan is
// made once, in the scope of the pass; of the other scope, what both hold is
// judged. Nothing is recorded, and grace is left out of account: what a change of
// the rules would do must not wait for it to have been condemned long enough.
func (p *Planner) Compare(ctx context.Context, feed Feed, other *Planner) (*diff.Comparison, error) {
	c := &comparison{after: newSide(p), before: newSide(other)}
	notes := graceNote(p, other)
	if !sameUses(p.Config.Protect, other.Config.Protect) {
		notes = append(notes, "The two look for uses in different places (protect): both are judged by what "+p.Config.File+" finds in use.")
	}
	if scope := Scope(other.Config); !scope.Equal(Scope(p.Config)) {
		var err error
		if c.filter, err = scanner.NewFilter(scope); err != nil {
			return nil, err
		}
		notes = append(notes, "The scopes differ: only what both look at is compared. The scan was made in the scope of "+
			p.Config.File+", and the numbers of "+other.Config.File+" are those of what both look at.")
	}
	if err := c.run(ctx, feed); err != nil {
		return nil, err
	}
	before := diff.Half{Name: other.Config.File, Plan: c.before.plan(p), Witness: c.before.witness}
	return c.compared(p, before, notes), nil
}

// CompareWith holds the plan of the pass against a saved one.
func (p *Planner) CompareWith(ctx context.Context, feed Feed, name string, saved *actions.Plan) (*diff.Comparison, error) {
	c := &comparison{after: newSide(p), saved: saved.StepsByObject()}
	if err := c.run(ctx, feed); err != nil {
		return nil, err
	}
	return c.compared(p, diff.Half{Name: name, Plan: saved}, graceNote(p)), nil
}

// comparison is the work of comparing.
type comparison struct {
	after  *side
	before *side                           // nil where the other side is saved
	saved  map[registry.Ref][]actions.Step // its steps, otherwise
	filter *scanner.Filter                 // of the other scope; nil where both are the same
}

// side is one configuration at work.
type side struct {
	planner *Planner
	judge   *policy.Judge
	options plan.Options

	mu      sync.Mutex // guards the rest
	builder *plan.Builder
	witness *diff.Witness
}

func newSide(p *Planner) *side {
	o := p.planOptions()
	o.Grace = 0
	return &side{
		planner: p, judge: p.Policies.At(p.TakenAt, policy.WhatCounts), options: o,
		builder: plan.NewBuilder(o), witness: diff.NewWitness(),
	}
}

// plan finishes the plan of the side. The clock is that of the one scan.
func (s *side) plan(scanned *Planner) *actions.Plan {
	if gap := scanned.clockGap(); gap != nil {
		s.builder.AddGap(*gap)
	}
	return s.builder.Plan()
}

func (c *comparison) compared(p *Planner, before diff.Half, notes []string) *diff.Comparison {
	after := diff.Half{Name: p.Config.File, Plan: c.after.plan(p), Witness: c.after.witness}
	return diff.Compare(before, after, notes...)
}

// graceNote says that grace is left out, where there is any.
func graceNote(passes ...*Planner) []string {
	for _, p := range passes {
		if p.Config.Grace.Duration() > 0 {
			return []string{"Grace is left out of account: what is condemned counts as condemned for long enough."}
		}
	}
	return nil
}

// sighting is an item of the scan, and what the other side sees of it.
type sighting struct {
	item   scanner.Item
	theirs []scanner.Item
}

// run judges everything that the feed has. The filter needs the items in order;
// what it lets pass is judged by several goroutines.
func (c *comparison) run(ctx context.Context, feed Feed) error {
	in := newIntake(feed)
	c.after.judge = c.after.judge.Knowing(in.early)
	if c.before != nil {
		c.before.judge = c.before.judge.Knowing(in.early)
	}
	group, ctx := errgroup.WithContext(ctx)
	sightings := make(chan sighting, runtime.GOMAXPROCS(0))
	group.Go(func() error {
		defer close(sightings)
		for item := range in.items() {
			select {
			case sightings <- sighting{item, c.theirs(item)}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for s := range sightings {
				if err := c.take(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, gap := range lateGaps(in.late) {
		c.after.builder.AddGap(gap)
		if c.before != nil {
			c.before.builder.AddGap(gap)
		}
	}
	return feed.Err()
}

// theirs is what the other side sees of an item.
func (c *comparison) theirs(item scanner.Item) []scanner.Item {
	switch {
	case c.before == nil:
		return nil
	case c.filter == nil:
		return []scanner.Item{item}
	}
	return c.filter.Pass(item)
}

// take judges an item by both sides, and has each bear witness to the other.
func (c *comparison) take(ctx context.Context, s sighting) error {
	ours, err := c.after.judged(ctx, s.item)
	if err != nil {
		return err
	}
	if c.before == nil {
		c.after.add(s.item, ours, c.saved[ours.ref])
		return nil
	}
	for _, item := range s.theirs {
		if item.Namespace != nil {
			continue // only its images and its listing are judged
		}
		theirs, err := c.before.judged(ctx, item)
		if err != nil {
			return err
		}
		c.after.add(s.item, ours, theirs.part.Steps())
		c.before.add(item, theirs, ours.part.Steps())
		return nil
	}
	c.after.add(s.item, ours, nil)
	if ours.verdict != nil && !ours.part.Silent() {
		c.before.ignore(ours.ref)
	}
	return nil
}

// judged is what one side makes of an item; its verdict is nil where there is
// nothing to judge.
type judged struct {
	ref     registry.Ref
	verdict *registry.Verdict
	part    plan.Part
}

func (s *side) judged(ctx context.Context, item scanner.Item) (judged, error) {
	var v registry.Verdict
	var err error
	var out judged
	switch {
	case item.Image != nil:
		out.ref = item.Image.Ref()
		if v, err = s.judge.Image(ctx, item.Image); err == nil {
			s.planner.count(&v)
		}
	case item.Listed != nil:
		out.ref = item.Listed.Namespace.Ref()
		v, err = s.judge.Namespace(ctx, item.Listed.Namespace, item.Listed.Empty)
	default:
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.verdict, out.part = &v, plan.PlanVerdict(v, s.options)
	return out, nil
}

// add adds an item to the plan of the side.
func (s *side) add(item scanner.Item, j judged, others []actions.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case j.verdict != nil:
		s.builder.Add(j.part)
		s.witness.Add(*j.verdict, others)
	case item.Skipped != nil && item.Skipped.Status != scanner.StatusGone:
		s.builder.AddSkipped(item.Skipped.Ref, item.Skipped.Status)
	case item.Gap != nil:
		s.builder.AddGap(*item.Gap)
	}
}

func (s *side) ignore(ref registry.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witness.Outside(ref)
}
