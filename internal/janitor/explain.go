package janitor

import (
	"context"
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Narrow is a scope that holds one namespace, or one image with its namespace.
func Narrow(s scanner.Scope, ref registry.Ref) scanner.Scope {
	s.Regions = []registry.Region{ref.Region}
	s.Include = []string{literal(ref.Namespace)}
	s.Exclude = nil
	if ref.Image != "" {
		s.Include = append(s.Include, literal(ref.Namespace+"/"+ref.Image))
	}
	return s
}

// literal is a glob that matches the text alone.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(text)
}

// Explain judges what the reference names, with every rule. The feed must hold
// it; a scan of Narrow does.
func (p *Planner) Explain(ctx context.Context, feed Feed, ref registry.Ref) (runs.Explanation, error) {
	e := runs.Explanation{Ref: ref}
	options := p.planOptions()
	builder := plan.NewBuilder(options)
	var subject scanner.Item
	var uses []registry.Use
	found := false
	for item := range feed.Items() {
		switch {
		case item.Use != nil:
			uses = append(uses, *item.Use)
		case names(ref, item):
			subject = item
		case item.Gap != nil:
			builder.AddGap(*item.Gap)
			hidden := item.Gap.Holds != registry.HoldsAll && item.Gap.Holds != registry.HoldsNothing // which hide no object
			found = found || hidden
		case item.Skipped != nil && holds(item.Skipped.Ref, ref):
			builder.AddSkipped(item.Skipped.Ref, item.Skipped.Status)
			e.Note, found = "its status, or that of what it is in, is "+string(item.Skipped.Status), true
		}
	}
	if err := feed.Err(); err != nil {
		return e, err
	}
	// It is judged last, when every use is known.
	judge := p.Policies.At(p.TakenAt, policy.Everything).Knowing(registry.NewUseIndex(uses))
	verdict, err := explainItem(ctx, subject, judge)
	if err != nil {
		return e, err
	}
	if verdict != nil {
		e.Verdict, found = verdict, true
		builder.Add(plan.PlanVerdict(*verdict, options))
	}
	if gap := p.clockGap(); gap != nil {
		builder.AddGap(*gap)
	}
	e.Plan = builder.Plan()
	return e, missing(&e, found)
}

// names reports whether the item is what the reference names, or its image.
func names(ref registry.Ref, item scanner.Item) bool {
	ref.Tag = ""
	return item.Image != nil && item.Image.Ref() == ref || item.Listed != nil && item.Listed.Namespace.Ref() == ref
}

// explainItem judges an image or a namespace.
func explainItem(ctx context.Context, item scanner.Item, judge *policy.Judge) (*registry.Verdict, error) {
	switch {
	case item.Image != nil:
		verdict, err := judge.Image(ctx, item.Image)
		return &verdict, err
	case item.Listed != nil:
		verdict, err := judge.Namespace(ctx, item.Listed.Namespace, item.Listed.Empty)
		return &verdict, err
	}
	return nil, nil
}

// holds reports whether one reference is another, or is what the other is in.
func holds(outer, inner registry.Ref) bool {
	return outer.Region == inner.Region && outer.Namespace == inner.Namespace &&
		(outer.Image == "" || outer.Image == inner.Image)
}

// missing says that there is no such thing.
func missing(e *runs.Explanation, found bool) error {
	if !found {
		return fmt.Errorf("%s: %w", e.Ref, registry.ErrNotFound)
	}
	if e.Verdict == nil || e.Ref.Tag == "" {
		return nil
	}
	for _, t := range e.Verdict.Image.Tags {
		if t.Name == e.Ref.Tag {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: the image has %d other tags", e.Ref, registry.ErrNotFound, len(e.Verdict.Image.Tags))
}
