package janitor

import (
	"context"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Compare judges one scan by two configurations. The scan is made once, in the
// scope of the planner; of the other scope, what both hold is judged. Nothing is
// recorded, and grace is ignored: the comparison shows what a change of the rules
// leads to once tags have been marked for long enough.
func (p *Planner) Compare(ctx context.Context, feed intake.Feed, other *Planner) (*diff.Comparison, error) {
	notes := graceNote(p, other)
	if !sources.Same(p.Config.Protect, other.Config.Protect) {
		notes = append(notes, "The two configurations name different use sources (protect): both plans use those of "+p.Config.File+".")
	}
	var filter *scanner.Filter
	if scope := Scope(other.Config); !scope.Equal(Scope(p.Config)) {
		var err error
		if filter, err = scanner.NewFilter(scope); err != nil {
			return nil, err
		}
		notes = append(notes, "The scopes differ: only what is in both is compared. The scan was made in the scope of "+
			p.Config.File+", and the numbers of "+other.Config.File+" count only what is in both.")
	}
	in := intake.New(feed)
	after, before := newVariant(p, in), newVariant(other, in)
	before.judge.filter = filter
	err := forEach(ctx, in, func(decisions []*decision) {
		ours, theirs := decisions[0], decisions[1]
		switch {
		case theirs != nil:
			after.add(ours, theirs.part.Steps())
			before.add(theirs, ours.part.Steps())
		default:
			after.add(ours, nil)
			if ours.verdict != nil && !ours.part.Silent() {
				before.ignore(ours.ref())
			}
		}
	}, after.judge, before.judge)
	if err != nil {
		return nil, err
	}
	clock := p.clockGap() // of the one scan
	return p.zoned(diff.Compare(before.input(in, clock), after.input(in, clock), notes...)), nil
}

// CompareWith compares the plan of the feed with a saved one.
func (p *Planner) CompareWith(ctx context.Context, feed intake.Feed, name string, saved *actions.Plan) (*diff.Comparison, error) {
	in := intake.New(feed)
	after, steps := newVariant(p, in), saved.StepsByObject()
	err := forEach(ctx, in, func(decisions []*decision) {
		d := decisions[0]
		if d.verdict == nil {
			after.add(d, nil)
			return
		}
		after.add(d, steps[d.ref()])
	}, after.judge)
	if err != nil {
		return nil, err
	}
	return p.zoned(diff.Compare(diff.Input{Name: name, Plan: saved}, after.input(in, p.clockGap()), graceNote(p)...)), nil
}

// zoned shows the times of a comparison in the zone of the configuration.
func (p *Planner) zoned(c *diff.Comparison) *diff.Comparison {
	c.Zone = p.Config.Location()
	return c
}

// variant is one of two configurations that are compared.
type variant struct {
	name  string
	judge *judge
	*collector

	mu  sync.Mutex
	why *diff.Explanations
}

func newVariant(p *Planner, in *intake.Intake) *variant {
	o := p.planOptions()
	o.Grace = 0
	return &variant{
		name: p.Config.File, judge: p.judge(policy.WhatCounts, in.Early, o),
		collector: newCollector(o), why: diff.NewExplanations(),
	}
}

// add adds what the variant decided about an item, and why it does not do what the
// other one does.
func (v *variant) add(d *decision, others []actions.Step) {
	v.collector.add(d)
	if d.verdict == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.why.Add(*d.verdict, others)
}

// ignore records that an image or a namespace is outside of the scope of the variant.
func (v *variant) ignore(ref registry.Ref) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.why.Ignore(ref)
}

func (v *variant) input(in *intake.Intake, clock *registry.Gap) diff.Input {
	return diff.Input{Name: v.name, Plan: v.plan(in.Late, clock), Why: v.why}
}

// graceNote is a note that grace is ignored, if there is any.
func graceNote(planners ...*Planner) []string {
	for _, p := range planners {
		if p.Config.Grace.Duration() > 0 {
			return []string{"Grace is ignored: what is marked counts as marked for long enough."}
		}
	}
	return nil
}
