package janitor

import (
	"context"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/outlook"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Explain judges what a reference names, with every rule. The feed must hold the
// candidates; a scan of their scope does. A panic is an error.
func (p *Planner) Explain(ctx context.Context, feed intake.Feed, n lookup.Named) (a runs.Answer, err error) {
	err = bug.Contain(func() error {
		a, err = p.explain(ctx, feed, n)
		return err
	})
	return a, err
}

// explain judges last, when every use is known.
func (p *Planner) explain(ctx context.Context, feed intake.Feed, n lookup.Named) (runs.Answer, error) {
	search := n.Search()
	var used []registry.Use
	for item := range feed.Items() {
		if item.Use != nil {
			used = append(used, *item.Use)
			continue
		}
		search.Add(item)
	}
	if err := feed.Err(); err != nil {
		return runs.Answer{}, err
	}
	if gap := p.restoredGap(ctx); gap != nil {
		search.Gaps = append(search.Gaps, *gap)
	}
	if gap := p.clockGap(); gap != nil {
		search.Gaps = append(search.Gaps, *gap)
	}
	objects, err := search.Objects()
	if err != nil {
		return runs.Answer{}, err
	}
	answer := runs.Answer{Digest: n.Digest(objects[0].Ref)}
	for _, o := range objects {
		s := &subject{planner: p, item: o.Item, uses: registry.NewUseIndex(used), gaps: search.Gaps, skipped: o.Skipped}
		e, err := s.explain(ctx, o.Ref)
		if err != nil {
			return runs.Answer{}, err
		}
		answer.Explanations = append(answer.Explanations, e)
	}
	return answer, nil
}

// subject is what is explained: an image or a namespace, with what is known beside it.
type subject struct {
	planner *Planner
	item    scanner.Item // without an image and a namespace where there is nothing to judge
	uses    *registry.UseIndex
	gaps    []registry.Gap
	skipped *scanner.Skipped // why nothing is judged; nil if it is
}

func (s *subject) explain(ctx context.Context, ref registry.Ref) (runs.Explanation, error) {
	e := runs.Explanation{Ref: ref, Zone: s.planner.Config.Location()}
	if s.skipped != nil {
		e.Note = "its status, or the status of its image or namespace, is " + string(s.skipped.Status)
	}
	err := s.judge(ctx, &e)
	if err == nil && e.Verdict != nil {
		e.Outlook, err = s.outlook(ref).After(ctx, e.Decision())
	}
	return e, err
}

// judge adds the verdict and the plan.
func (s *subject) judge(ctx context.Context, e *runs.Explanation) error {
	options := s.planner.planOptions()
	builder := plan.NewBuilder(options)
	for _, gap := range s.gaps {
		builder.AddGap(gap)
	}
	if s.skipped != nil {
		builder.AddSkipped(s.skipped.Ref, s.skipped.Status)
	}
	d := &decision{item: s.item}
	if err := s.planner.judge(policy.Everything, s.uses, options).decideWithContents(ctx, d); err != nil {
		return err
	}
	if d.unread != nil {
		builder.AddGap(*d.unread)
	}
	if d.verdict != nil {
		e.Verdict = d.verdict
		builder.Add(d.part)
	}
	e.Plan = builder.Plan()
	return nil
}

// outlook is what follows for the subject at later times.
func (s *subject) outlook(ref registry.Ref) *outlook.Subject {
	return &outlook.Subject{
		Config: s.planner.Config, Ref: ref, Item: s.item, Now: s.planner.TakenAt, Restored: s.planner.restored, MarkedSince: s.planner.markedSince,
		Decide: func(ctx context.Context, at time.Time) (runs.Stage, error) {
			p := *s.planner
			if p.ScannedAt.IsZero() {
				p.ScannedAt = p.TakenAt
			}
			p.TakenAt, p.Forecast, p.Progress = at, true, nil
			later := *s
			later.planner = &p
			e := runs.Explanation{Ref: ref}
			err := later.judge(ctx, &e)
			return e.Decision(), err
		},
	}
}

// markedSince is since when the ledger knows a tag to be marked, if grace counts.
func (p *Planner) markedSince(img *registry.Image, t *registry.Tag) (time.Time, bool) {
	if p.history == nil || p.history.since == nil || p.Config.Grace.Duration() == 0 {
		return time.Time{}, false
	}
	return p.history.since.Since(t.ID, t.Digest, img.TagRef(t.Name).String())
}
