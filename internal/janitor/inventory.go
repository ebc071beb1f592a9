package janitor

import (
	"context"
	"errors"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Record writes the scan as an inventory, and returns its gaps that hold deletions. The
// plan of the inventory is that of the scan: with Policies, an image is written with the
// contents that they and the plan need. Those that could not be read are among the
// returned gaps, and are not there for the plan either.
func (p *Planner) Record(ctx context.Context, feed intake.Feed, w io.Writer) ([]registry.Gap, error) {
	out, err := scanner.NewInventoryWriter(w, scanner.Header{TakenAt: p.TakenAt, Scope: Scope(p.Config), Sources: sources.Keys(p.Config)})
	if err != nil {
		return nil, err
	}
	var gaps []registry.Gap
	var refused refused
	write := func(item scanner.Item) error {
		if item.Gap != nil && item.Gap.Holds != registry.HoldsNothing {
			gaps = append(gaps, *item.Gap)
		}
		p.Progress.noticed(item)
		if item.Image != nil {
			p.Progress.countVerdict(&registry.Verdict{Image: item.Image}, 0)
		}
		return out.Write(item)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for r := range p.recorded(ctx, feed) {
		<-r.done
		if r.item.Use == nil {
			refused.see(r.item)
		}
		if r.unread != nil {
			gaps = append(gaps, *r.unread)
		}
		if err := errors.Join(r.err, write(r.item)); err != nil {
			return gaps, err
		}
	}
	if err := errors.Join(feed.Err(), refused.err()); err != nil {
		return gaps, err
	}
	if gap := p.clockGap(); gap != nil {
		if err := write(scanner.Item{Gap: gap}); err != nil {
			return gaps, err
		}
	}
	return gaps, out.Close()
}

// record is an item that is written once it is done.
type record struct {
	item   scanner.Item
	done   chan struct{}
	unread *registry.Gap
	err    error
}

// recorded are the items of a feed in their order, each image with the contents that a plan
// of it needs, with the uses that come before the first of them, as in an Intake. The
// contents of several images are read at a time.
func (p *Planner) recorded(ctx context.Context, feed intake.Feed) <-chan *record {
	silent := *p
	silent.Progress = nil
	queue := make(chan *record, maxFetching)
	go func() {
		defer close(queue)
		var early []registry.Use
		var judge *judge
		for item := range feed.Items() {
			r := &record{item: item, done: make(chan struct{})}
			switch {
			case item.Use != nil && judge == nil:
				early = append(early, *item.Use)
			case item.Use == nil && item.Gap == nil && judge == nil && p.Policies != nil && p.contents != nil:
				judge = silent.judge(policy.WhatCounts, registry.NewUseIndex(early), p.planOptions())
			}
			if judge == nil || item.Image == nil {
				close(r.done)
			} else {
				go r.complete(ctx, judge)
			}
			select {
			case queue <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	return queue
}

// complete reads the contents of an image.
func (r *record) complete(ctx context.Context, j *judge) {
	defer close(r.done)
	d := &decision{item: r.item}
	r.err = bug.Contain(func() error { return j.decideWithContents(ctx, d) })
	r.unread = d.unread
}
