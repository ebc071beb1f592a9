package janitor

import (
	"context"
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Narrow returns a scope that holds one namespace, or one image with its namespace.
func Narrow(s scanner.Scope, ref registry.Ref) scanner.Scope {
	s.Regions = []registry.Region{ref.Region}
	s.Include = []string{literal(ref.Namespace)}
	s.Exclude = nil
	if ref.Image != "" {
		s.Include = append(s.Include, literal(ref.Namespace+"/"+ref.Image))
	}
	return s
}

// literal returns a glob that matches the text alone.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(text)
}

// Explain judges what the reference names, with every rule. The feed must hold it;
// a scan of Narrow does. A panic is an error.
func (p *Planner) Explain(ctx context.Context, feed Feed, ref registry.Ref) (e runs.Explanation, err error) {
	err = Contain(func() error {
		e, err = p.explain(ctx, feed, ref)
		return err
	})
	return e, err
}

// explain judges the object last, when every use is known.
func (p *Planner) explain(ctx context.Context, feed Feed, ref registry.Ref) (runs.Explanation, error) {
	e := runs.Explanation{Ref: ref, Zone: p.Config.Location()}
	options := p.planOptions()
	builder := plan.NewBuilder(options)
	subject := &decision{}
	var uses []registry.Use
	found := false
	for item := range feed.Items() {
		switch {
		case item.Use != nil:
			uses = append(uses, *item.Use)
		case names(ref, item):
			subject.item = item
		case item.Gap != nil:
			builder.AddGap(*item.Gap)
			found = found || hidesObjects(item.Gap)
		case item.Skipped != nil && holds(item.Skipped.Ref, ref):
			builder.AddSkipped(item.Skipped.Ref, item.Skipped.Status)
			e.Note, found = "its status, or the status of its image or namespace, is "+string(item.Skipped.Status), true
		}
	}
	if err := feed.Err(); err != nil {
		return e, err
	}
	judge := p.judge(policy.Everything, registry.NewUseIndex(uses), options)
	if err := judge.decide(ctx, subject); err != nil {
		return e, err
	}
	if subject.verdict != nil {
		e.Verdict, found = subject.verdict, true
		builder.Add(subject.part)
	}
	if gap := p.clockGap(); gap != nil {
		builder.AddGap(*gap)
	}
	e.Plan = builder.Plan()
	return e, missing(&e, found)
}

// hidesObjects reports whether a gap is about what is in the registry, rather than
// about a use source or the clock, so that the object may be missing because of it.
func hidesObjects(g *registry.Gap) bool {
	return g.Source == "" && g.Subject != actions.ClockSubject && g.Holds != registry.HoldsNothing
}

// names reports whether the item is what the reference names, or its image.
func names(ref registry.Ref, item scanner.Item) bool {
	ref = ref.WithoutTag()
	return item.Image != nil && item.Image.Ref() == ref || item.Listed != nil && item.Listed.Namespace.Ref() == ref
}

// holds reports whether one reference is another, or is what the other is in.
func holds(outer, inner registry.Ref) bool {
	return outer.Region == inner.Region && outer.Namespace == inner.Namespace &&
		(outer.Image == "" || outer.Image == inner.Image)
}

// missing is the error that the object does not exist.
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
