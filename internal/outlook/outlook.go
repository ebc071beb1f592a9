package outlook

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// maxJudged is how many tags are judged for one outlook, each as often as it is.
const maxJudged = 100_000

// Subject is what an outlook is about. All fields are required.
type Subject struct {
	Config *config.Config
	Ref    registry.Ref // of the image, the tag or the namespace
	Item   scanner.Item // which is that, or has it
	Now    time.Time
	// Restored is what was restored from the archive.
	Restored registry.Restorations
	// MarkedSince returns since when a tag has been marked for deletion, as the ledger has it.
	MarkedSince func(*registry.Image, *registry.Tag) (since time.Time, marked bool)
	// Decide decides about the subject at another time.
	Decide func(context.Context, time.Time) (runs.Stage, error)
}

// After judges the subject again at every time after the present at which its decision
// can change, as a forecast of that time does, until it is deleted.
func (s *Subject) After(ctx context.Context, now runs.Stage) (*runs.Outlook, error) {
	f := &foresight{Subject: s, all: s.changeTimes(nil)}
	grid := f.all
	o := &runs.Outlook{Stages: []runs.Stage{now}}
	if img := s.Item.Image; img != nil && len(grid)*len(img.Tags) > maxJudged {
		grid = s.changeTimes(related(img, s.Ref.Tag))
		if matchesByAge(s.Config) {
			o.Limit = runs.LimitSize
		}
	}
	if len(s.Config.PolicyPaths()) > 0 {
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
	last.Ends = s.end(last)
	if last.Decision == runs.Unmarked && s.follows() {
		last.Ends = runs.EndOthers
	}
	return o, nil
}

// follows reports whether the subject is an attachment of another tag, with which it is
// deleted.
func (s *Subject) follows() bool {
	img, tag := s.Item.Image, s.Ref.Tag
	if img == nil || tag == "" {
		return false
	}
	i := img.Find(tag)
	if i < 0 {
		return false
	}
	of := img.Subjects()[i]
	return slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return of.Is(t.Digest) })
}

// foresight finds the times at which a decision changes.
type foresight struct {
	*Subject
	all []time.Time // the times at which it can
}

// after returns the first stage that differs from one, if that is so by a time.
func (f *foresight) after(ctx context.Context, stage *runs.Stage, by time.Time) (*runs.Stage, error) {
	found, err := f.Decide(ctx, by)
	if err != nil || isSame(stage, &found) {
		return nil, err
	}
	low, _ := slices.BinarySearchFunc(f.all, stage.From.Add(1), time.Time.Compare)
	high, _ := slices.BinarySearchFunc(f.all, by, time.Time.Compare)
	for low < high {
		middle := (low + high) / 2
		s, err := f.Decide(ctx, f.all[middle])
		switch {
		case err != nil:
			return nil, err
		case isSame(stage, &s):
			low = middle + 1
		default:
			found, high = s, middle
		}
	}
	return &found, nil
}

// isSame reports whether nothing changed that decides: which rules mark what others
// keep, or a guard holds, does not.
func isSame(a, b *runs.Stage) bool {
	return a.Decision == b.Decision && a.Guard == b.Guard && (a.Decision != runs.Kept || slices.Equal(a.Reasons, b.Reasons))
}

// changeTimes are the times after the present at which the age of something reaches one that
// a rule or a guard names, with tags only of those of them, or at which a waiver or the stay
// of what was restored ends. Between two of them, no decision changes.
func (s *Subject) changeTimes(tags map[string]bool) []time.Time {
	var out []time.Time
	add := func(from time.Time, ages []time.Duration) {
		for _, age := range append(ages, 0) { // what is in the future counts as newest until then
			if at := from.Add(age); at.After(s.Now) {
				out = append(out, at)
			}
		}
	}
	for _, ends := range s.Config.WaiverEnds() {
		add(ends, nil)
	}
	empty := emptyAges(s.Config)
	if s.Item.Listed != nil {
		n := s.Item.Listed.Namespace
		minAge, _ := s.Config.Limits.At(n.Name, "")
		add(n.Changed(), append(empty, minAge))
	}
	if img := s.Item.Image; img != nil {
		minAge, _ := s.Config.Limits.At(img.Namespace.Name, img.Name)
		add(img.Changed(), append(empty, minAge))
		for _, r := range s.Restored[img.Ref()] { // after its stay, it takes the place of another
			add(r.Until, nil)
		}
		updated, created, built := retentionAges(s.Config)
		for i := range img.Tags {
			t := &img.Tags[i]
			if tags != nil && !tags[t.Name] {
				continue
			}
			add(t.Changed(), append(updated, minAge))
			add(t.CreatedAt, created)
			s.addContent(img.Contents[t.Digest], t, built, add)
			if since, marked := s.MarkedSince(img, t); marked {
				add(since, []time.Duration{s.Config.Grace.Duration()})
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// addContent adds the times of a tag that come from its content.
func (s *Subject) addContent(c *registry.Content, t *registry.Tag, built []time.Duration, add func(time.Time, []time.Duration)) {
	if c == nil {
		return
	}
	add(c.BuiltAt, built)
	add(t.Changed(), built) // if that date is not one
	labeled := labelAges(s.Config, c.Labels)
	for _, from := range []time.Time{t.Changed(), t.CreatedAt, c.BuiltAt} {
		add(from, labeled)
	}
}

// related are the tags of an image whose deletion can depend on that of a tag, or on
// which that of the tag depends: those of one digest, attachments with their subject, and
// the parts of an index with it.
func related(img *registry.Image, tag string) map[string]bool {
	names, subjects := map[string]bool{tag: true}, img.Subjects()
	for grown := true; grown; {
		grown = false
		for i := range img.Tags {
			a := &img.Tags[i]
			if !names[a.Name] {
				continue
			}
			for j := range img.Tags {
				if b := &img.Tags[j]; !names[b.Name] && belong(img, subjects, i, j) {
					names[b.Name], grown = true, true
				}
			}
		}
	}
	return names
}

func belong(img *registry.Image, subjects []registry.Subject, i, j int) bool {
	needs := func(i, j int) bool {
		digest := img.Tags[j].Digest
		return subjects[i].Is(digest) || slices.Contains(img.PartsOf(digest), img.Tags[i].Digest)
	}
	a, b := &img.Tags[i], &img.Tags[j]
	return a.KnownDigest() != "" && a.Digest == b.Digest || needs(i, j) || needs(j, i)
}

// end is what ends a stage that has no date.
func (s *Subject) end(stage *runs.Stage) runs.End {
	switch stage.Decision {
	case runs.Deleted:
		return ""
	case runs.Unmarked:
		return runs.EndRules
	case runs.Held:
		return endOfGuard(stage.Guard)
	}
	ends := map[runs.End]bool{}
	for _, r := range stage.Reasons {
		ends[s.endOfKeep(r)] = true
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
func (s *Subject) endOfKeep(r registry.Reason) runs.End {
	if r.Source != "" {
		return runs.EndOwn
	}
	name, ok := strings.CutPrefix(r.Rule, "retention/")
	if !ok {
		return runs.EndRules
	}
	for i := range s.Config.Retention {
		if rule := &s.Config.Retention[i]; rule.Name == name && rule.Keep != nil && rule.Keep.All {
			return runs.EndRules
		}
	}
	return runs.EndPushes
}
