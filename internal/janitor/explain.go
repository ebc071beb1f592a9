package janitor

import (
	"context"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Explain judges what a reference names, with every rule. The feed must hold the
// candidates; a scan of their scope does. A panic is an error.
func (p *Planner) Explain(ctx context.Context, feed Feed, n Named) (a runs.Answer, err error) {
	err = Contain(func() error {
		a, err = p.explain(ctx, feed, n)
		return err
	})
	return a, err
}

// explain judges last, when every use is known.
func (p *Planner) explain(ctx context.Context, feed Feed, n Named) (runs.Answer, error) {
	f := findings{named: n}
	var used []registry.Use
	for item := range feed.Items() {
		if item.Use != nil {
			used = append(used, *item.Use)
			continue
		}
		f.add(item)
	}
	if err := feed.Err(); err != nil {
		return runs.Answer{}, err
	}
	if gap := p.clockGap(); gap != nil {
		f.gaps = append(f.gaps, *gap)
	}
	refs, err := f.refs()
	if err != nil {
		return runs.Answer{}, err
	}
	answer := runs.Answer{Digest: n.digest(refs[0].ref)}
	for _, r := range refs {
		s := &subject{planner: p, item: r.item, uses: registry.NewUseIndex(used), gaps: f.gaps, skipped: r.skipped}
		e, err := s.explain(ctx, r.ref)
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
		e.Outlook, err = s.outlook(ctx, &e)
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
	if err := s.planner.judge(policy.Everything, s.uses, options).decide(ctx, d); err != nil {
		return err
	}
	if d.verdict != nil {
		e.Verdict = d.verdict
		builder.Add(d.part)
	}
	e.Plan = builder.Plan()
	return nil
}
