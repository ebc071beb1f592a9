package janitor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// usesInterval is how often the use sources are read again while a plan is applied.
const usesInterval = 45 * time.Second

// inForce judges again while a plan is applied: by the policies, protections,
// guards and limits of the configuration, and by the uses as they were read last.
type inForce struct {
	session      *Session
	visibilities *visibilities // of what was judged; nil: not noted

	mu   sync.Mutex
	uses *registry.UseIndex
	err  error // why nothing may be deleted any more
}

// inForce reads all use sources before a plan is applied, since what the plan
// deletes may have been deployed while it waited, and again and again until ctx is
// done.
func (s *Session) inForce(ctx context.Context, p *actions.Plan) (*inForce, error) {
	f := &inForce{session: s, visibilities: new(visibilities)}
	if p.Summary.Deletions() == 0 {
		return f, nil
	}
	if err := s.restoredFor(ctx, p); err != nil {
		return nil, err
	}
	if s.uses.Empty() {
		return f, nil
	}
	if err := f.readUses(ctx); err != nil {
		return nil, err
	}
	go func() {
		for clock.Sleep(ctx, usesInterval) == nil {
			if err := f.readUses(ctx); err != nil && ctx.Err() == nil {
				f.mu.Lock()
				f.err = err
				f.mu.Unlock()
				return
			}
		}
	}()
	return f, nil
}

// restoredFor reads what was restored, if a plan deletes anything.
func (s *Session) restoredFor(ctx context.Context, p *actions.Plan) error {
	if p.Summary.Deletions() == 0 {
		return nil
	}
	if err := s.readRestored(ctx); err != nil {
		return fmt.Errorf("reading what was restored before anything is deleted: %w", err)
	}
	return nil
}

// readUses reads all use sources. If a required one cannot be reached, nothing may
// be deleted.
func (f *inForce) readUses(ctx context.Context) error {
	reading, err := f.session.uses.Read(ctx)
	if err != nil {
		return fmt.Errorf("reading what is in use before anything is deleted: %w", err)
	}
	for _, gap := range reading.Gaps {
		if gap.Holds != registry.HoldsNothing {
			return fmt.Errorf("reading what is in use before anything is deleted: %s: %s", gap.Subject, gap.Error)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.uses = registry.NewUseIndex(reading.Uses)
	return nil
}

// judge makes the plan of one image or namespace as it is now.
func (f *inForce) judge(ctx context.Context, subject apply.Subject) (actions.Decision, error) {
	f.mu.Lock()
	uses, err := f.uses, f.err
	f.mu.Unlock()
	if err != nil {
		return actions.Decision{}, err
	}
	s := f.session
	f.visibilities.note(subject.Image)
	if gap := s.clockGap(); gap != nil && gap.Holds != registry.HoldsNothing {
		return actions.Decision{}, fmt.Errorf("%s: %s", gap.Subject, gap.Error)
	}
	if where := outside(Scope(s.Config), subject); where != "" {
		return actions.Decision{Verdict: registry.Verdict{
			Namespace: subject.Namespace, Keep: []registry.Reason{{Rule: "scope", Text: where}},
		}}, nil
	}
	now := *s.Planner
	now.TakenAt, now.Progress = startOfRun(s.o.Now), nil
	d := &decision{item: scanner.Item{Image: subject.Image}}
	if subject.Image == nil {
		d.item.Listed = &scanner.Listed{Namespace: subject.Namespace, Empty: subject.Empty}
	}
	judge := now.judge(policy.WhatCounts, uses, now.planOptions())
	if err := bug.Contain(func() error { return judge.decideWithContents(ctx, d) }); err != nil {
		return actions.Decision{}, err
	}
	steps, held := d.part.Steps(), d.part.Held()
	if d.unread != nil {
		steps, held = holdDeletions(steps, held, d.unread)
	}
	return actions.Decision{Steps: steps, Held: held, Verdict: *d.verdict}, nil
}

// holdDeletions holds the steps that delete something, because of what could not be read.
func holdDeletions(steps []actions.Step, held []actions.Held, gap *registry.Gap) ([]actions.Step, []actions.Held) {
	var rest []actions.Step
	for _, s := range steps {
		if !s.Action.Deletes() {
			rest = append(rest, s)
			continue
		}
		held = append(held, actions.Held{
			Action: s.Action, Ref: s.Ref, Guard: actions.GuardGap, Detail: "what could not be read might prevent it: " + gap.Error, Reasons: s.Reasons,
		})
	}
	return rest, held
}

// outside is why a subject is not what the configuration has scanned; "" if it is.
func outside(scope scanner.Scope, subject apply.Subject) string {
	ns := subject.Namespace
	ref := ns.Ref()
	if subject.Image != nil {
		ref = subject.Image.Ref()
	}
	switch {
	case !scope.Holds(ref):
		return lookup.OutOfScope
	case scope.OrganizationID != "" && ns.OrganizationID != scope.OrganizationID:
		return "its namespace belongs to another organization than scaleway.organization_id"
	case len(scope.ProjectIDs) > 0 && !slices.Contains(scope.ProjectIDs, ns.ProjectID):
		return "its namespace belongs to a project that is not in scaleway.project_ids"
	}
	return ""
}

// visibilities are those of the images that were judged last, for the records: whether all
// can pull them, also if that is by the setting of the namespace.
type visibilities struct {
	mu     sync.Mutex
	images map[registry.Ref]registry.Visibility
}

func (v *visibilities) note(img *registry.Image) {
	if v == nil || img == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.images == nil {
		v.images = map[registry.Ref]registry.Visibility{}
	}
	v.images[img.Ref()] = img.EffectiveVisibility()
}

func (v *visibilities) of(s *actions.Step) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return string(v.images[registry.Ref{Region: s.Region, Namespace: s.Namespace, Image: s.Image}])
}
