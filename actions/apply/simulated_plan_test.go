package apply

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// plan scans the registry and plans what follows, as a run does: what comes from the
// cache and would be changed is listed first. When all is calm, nothing lies.
func (s *simulation) plan(calm bool) *actions.Plan {
	scan := &scan{Reader: s.site.reader, cache: s.cache, rows: map[string]registry.Image{}, listed: map[string][]registry.Tag{}}
	if !calm && s.cache.chance(25) {
		scan.Reader = s.site.readerOver(inProcess{s.site.server})
	}
	o := scanner.Options{Cache: scan, Concurrency: 2}
	if calm {
		o.Cache = nil
	}
	s.site.judge, s.site.options = s.judge, s.o
	s.site.options.TakenAt = time.Now().UTC()
	b := plan.NewBuilder(s.site.options)
	stream := scanner.Scan(s.t.Context(), scan, o)
	for item := range stream.Items() {
		part := s.decide(item)
		if item.Relist != nil && part.Changes() {
			item = item.Relist(s.t.Context())
			part = s.decide(item)
		}
		switch {
		case item.Relist != nil:
			b.AddFromCache(part, len(item.Image.TagNames))
		case item.Quiet != nil:
			b.AddFromCache(plan.Quiet(item.Quiet.Image, item.Quiet.Tags), len(item.Quiet.Image.TagNames))
		case item.Image != nil, item.Listed != nil:
			b.Add(part)
		case item.Gap != nil:
			b.AddGap(*item.Gap)
		case item.Skipped != nil && item.Skipped.Status != scanner.StatusGone:
			b.AddSkipped(item.Skipped.Ref, item.Skipped.Status)
		}
	}
	must(s.t, stream.Err())
	p := b.Plan()
	scan.check(s, p)
	return p
}

// decide is what is planned of an item, with whatever is in the cache.
func (s *simulation) decide(item scanner.Item) plan.Part {
	switch {
	case item.Image != nil:
		v := registry.Verdict{Namespace: item.Image.Namespace, Image: item.Image, Tags: make([]registry.TagVerdict, len(item.Image.Tags)), Empty: len(item.Image.Tags) == 0}
		s.judge(&v)
		return plan.Decide(v, s.site.options)
	case item.Listed != nil:
		v := registry.Verdict{Namespace: item.Listed.Namespace, Empty: item.Listed.Empty}
		s.judge(&v)
		return plan.Decide(v, s.site.options)
	}
	return plan.Part{}
}

// scan notes what one scan is told, and has a cache.
type scan struct {
	*scaleway.Reader
	cache *liar

	mu     sync.Mutex
	rows   map[string]registry.Image // the latest of each image
	listed map[string][]registry.Tag // the latest listing of each image
}

// liar is a cache that remembers every listing of an image, and finds any of them,
// whatever has changed since.
type liar struct {
	world
	known map[string][][]registry.Tag
}

func (s *scan) Images(ctx context.Context, q registry.Query) iter.Seq2[registry.Image, error] {
	return func(yield func(registry.Image, error) bool) {
		for row, err := range s.Reader.Images(ctx, q) {
			s.note(row, err)
			if !yield(row, err) {
				return
			}
		}
	}
}

func (s *scan) Image(ctx context.Context, region registry.Region, id string) (registry.Image, error) {
	row, err := s.Reader.Image(ctx, region, id)
	s.note(row, err)
	return row, err
}

func (s *scan) note(row registry.Image, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		row.TagNames = slices.Clone(row.TagNames)
		s.rows[row.ID] = row
	}
}

func (s *scan) Tags(ctx context.Context, region registry.Region, id string) ([]registry.Tag, error) {
	tags, err := s.Reader.Tags(ctx, region, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.listed[id] = slices.Clone(tags)
		s.cache.known[id] = append(s.cache.known[id], s.listed[id])
	}
	return tags, err
}

// Find knows most images by an earlier listing, and some as quiet.
func (s *scan) Find(_ context.Context, images []*registry.Image) []*scanner.Known {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make([]*scanner.Known, len(images))
	for i, image := range images {
		all := s.cache.known[image.ID]
		switch dice := s.cache.r.IntN(10); {
		case len(all) == 0 || dice < 3:
		case dice == 3:
			found[i] = &scanner.Known{Quiet: true, Count: len(all[0])}
		default:
			tags := slices.Clone(pick(s.cache.world, all...))
			found[i] = &scanner.Known{Count: len(tags), Tags: tags}
		}
	}
	return found
}

// check: every image with a step was listed in this scan, and no deletion is planned
// where the listing lacks a tag that its image names.
func (s *scan) check(sim *simulation, p *actions.Plan) {
	for i := range p.Steps {
		step := &p.Steps[i]
		id := step.ID
		if at, ok := p.ImageOf(step); ok && step.Action == actions.DeleteTag {
			id = p.Images[at].ID
		}
		tags, listed := s.listed[id]
		if step.Image == "" {
			continue
		}
		if !listed {
			sim.t.Errorf("%s %s is planned, and its image was not listed", step.Action, step.Ref)
		}
		for _, name := range s.rows[id].TagNames {
			if step.Action.Deletes() && !slices.ContainsFunc(tags, func(t registry.Tag) bool { return t.Name == name }) {
				sim.t.Errorf("%s %s is planned, and the listing of its image lacks %s", step.Action, step.Ref, name)
			}
		}
	}
}
