package janitor

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// maxJudged is how many tags are judged for one outlook, each as often as it is.
const maxJudged = 100_000

// outlook judges what is explained again at every later time at which its decision can
// change, as a forecast of that time does, until it is deleted.
func (s *subject) outlook(ctx context.Context, now *runs.Explanation) (*runs.Outlook, error) {
	f := &foresight{subject: s, ref: now.Ref}
	f.all = s.planner.turns(s.item, nil)
	grid := f.all
	o := &runs.Outlook{Stages: []runs.Stage{now.Decision()}}
	if img := s.item.Image; img != nil && len(grid)*len(img.Tags) > maxJudged {
		grid = s.planner.turns(s.item, related(img, now.Ref.Tag))
		if s.planner.Config.MatchesByAge() {
			o.Limit = runs.LimitSize
		}
	}
	if len(s.planner.Config.PolicyPaths()) > 0 {
		o.Limit = runs.LimitOwn
	}
	for _, at := range grid {
		for {
			last := &o.Stages[len(o.Stages)-1]
			if last.Decision == runs.Deleted {
				return o, nil
			}
			next, err := f.after(ctx, last, at)
			if err != nil {
				return nil, err
			}
			if next == nil {
				break
			}
			last.Until = next.From
			o.Stages = append(o.Stages, *next)
		}
	}
	last := &o.Stages[len(o.Stages)-1]
	last.Ends = s.planner.end(last)
	if last.Decision == runs.Unmarked && s.follows(now.Ref.Tag) {
		last.Ends = runs.EndOthers
	}
	return o, nil
}

// follows reports whether a tag is an attachment of another one, with which it goes.
func (s *subject) follows(tag string) bool {
	img := s.item.Image
	if img == nil || tag == "" {
		return false
	}
	i := slices.IndexFunc(img.Tags, func(t registry.Tag) bool { return t.Name == tag })
	of := registry.AttachmentSubject(tag, img.Tags[i].Digest)
	return slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return of.Is(t.Digest) })
}

// foresight finds the times at which a decision changes.
type foresight struct {
	*subject
	ref registry.Ref
	all []time.Time // the times at which it can
}

// after returns the first stage that differs from one, if that is so by a time.
func (f *foresight) after(ctx context.Context, stage *runs.Stage, by time.Time) (*runs.Stage, error) {
	found, err := f.at(ctx, by)
	if err != nil || isSame(stage, found) {
		return nil, err
	}
	low, _ := slices.BinarySearchFunc(f.all, stage.From.Add(1), time.Time.Compare)
	high, _ := slices.BinarySearchFunc(f.all, by, time.Time.Compare)
	for low < high {
		middle := (low + high) / 2
		s, err := f.at(ctx, f.all[middle])
		switch {
		case err != nil:
			return nil, err
		case isSame(stage, s):
			low = middle + 1
		default:
			found, high = s, middle
		}
	}
	return found, nil
}

// at is the decision at a time.
func (f *foresight) at(ctx context.Context, at time.Time) (*runs.Stage, error) {
	p := *f.planner
	if p.ScannedAt.IsZero() {
		p.ScannedAt = p.TakenAt
	}
	p.TakenAt, p.Forecast, p.Progress = at, true, nil
	s := *f.subject
	s.planner = &p
	e := runs.Explanation{Ref: f.ref}
	if err := s.judge(ctx, &e); err != nil {
		return nil, err
	}
	stage := e.Decision()
	return &stage, nil
}

// isSame reports whether nothing changed that decides: which rules mark what others
// keep, or a guard holds, does not.
func isSame(a, b *runs.Stage) bool {
	return a.Decision == b.Decision && a.Guard == b.Guard && (a.Decision != runs.Kept || slices.Equal(a.Reasons, b.Reasons))
}

// turns are the times after the present at which the age of something reaches one that
// a rule or a guard names; with tags, only of those of them. Between two of them, no
// decision changes.
func (p *Planner) turns(item scanner.Item, tags map[string]bool) []time.Time {
	var out []time.Time
	add := func(from time.Time, ages []time.Duration) {
		for _, age := range append(ages, 0) { // what is in the future counts as newest until then
			if at := from.Add(age); at.After(p.TakenAt) {
				out = append(out, at)
			}
		}
	}
	for _, ends := range p.Config.WaiverEnds() {
		add(ends, nil)
	}
	empty := p.Config.EmptyAges()
	if item.Listed != nil {
		n := item.Listed.Namespace
		minAge, _ := p.Config.Limits.At(n.Name, "")
		add(n.Changed(), append(empty, minAge))
	}
	if img := item.Image; img != nil {
		minAge, _ := p.Config.Limits.At(img.Namespace.Name, img.Name)
		add(img.Changed(), append(empty, minAge))
		updated, created := p.Config.RetentionAges()
		for i := range img.Tags {
			t := &img.Tags[i]
			if tags != nil && !tags[t.Name] {
				continue
			}
			add(t.Changed(), append(updated, minAge))
			add(t.CreatedAt, created)
			if since, marked := p.markedSince(img, t); marked {
				add(since, []time.Duration{p.Config.Grace.Duration()})
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

func (p *Planner) markedSince(img *registry.Image, t *registry.Tag) (time.Time, bool) {
	if p.history == nil || p.history.since == nil || p.Config.Grace.Duration() == 0 {
		return time.Time{}, false
	}
	return p.history.since.Since(t.ID, t.Digest, img.TagRef(t.Name).String())
}

// related are the tags of an image whose deletion can depend on that of a tag, or on
// which that of the tag depends: those of one digest, and attachments with their subject.
func related(img *registry.Image, tag string) map[string]bool {
	names := map[string]bool{tag: true}
	for grown := true; grown; {
		grown = false
		for i := range img.Tags {
			a := &img.Tags[i]
			if !names[a.Name] {
				continue
			}
			for j := range img.Tags {
				if b := &img.Tags[j]; !names[b.Name] && belong(a, b) {
					names[b.Name], grown = true, true
				}
			}
		}
	}
	return names
}

func belong(a, b *registry.Tag) bool {
	attached := func(a, b *registry.Tag) bool {
		subject := registry.AttachmentSubject(a.Name, a.Digest)
		return subject != "" && subject.Is(b.Digest)
	}
	return a.KnownDigest() != "" && a.Digest == b.Digest || attached(a, b) || attached(b, a)
}

// end is what ends a stage that has no date.
func (p *Planner) end(s *runs.Stage) runs.End {
	switch s.Decision {
	case runs.Deleted:
		return ""
	case runs.Unmarked:
		return runs.EndRules
	case runs.Held:
		return endOfGuard(s.Guard)
	}
	ends := map[runs.End]bool{}
	for _, r := range s.Reasons {
		ends[p.endOfKeep(r)] = true
	}
	for _, end := range []runs.End{runs.EndRules, runs.EndOwn, runs.EndUses} { // any keep is enough
		if ends[end] {
			return end
		}
	}
	return runs.EndPushes
}

func endOfGuard(g actions.Guard) runs.End {
	switch g {
	case actions.GuardInUse:
		return runs.EndUses
	case actions.GuardSharedDigest, actions.GuardAttachment, actions.GuardPartOf, actions.GuardNotEmpty:
		return runs.EndOthers
	case actions.GuardKeepAtLeast:
		return runs.EndPushes
	case actions.GuardGrace:
		return runs.EndRuns
	case actions.GuardReportOnly:
		return runs.EndRules
	}
	return runs.EndStatus
}

// endOfKeep is what ends a keep. A rule that counts keeps until pushes take its places.
func (p *Planner) endOfKeep(r registry.Reason) runs.End {
	if r.Source != "" {
		return runs.EndOwn
	}
	name, ok := strings.CutPrefix(r.Rule, "retention/")
	if !ok {
		return runs.EndRules
	}
	for i := range p.Config.Retention {
		if rule := &p.Config.Retention[i]; rule.Name == name && rule.Keep != nil && rule.Keep.All {
			return runs.EndRules
		}
	}
	return runs.EndPushes
}
