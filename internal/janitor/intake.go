package janitor

import (
	"iter"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// intake takes the uses out of a feed: those that come before what is judged,
// and those that come late.
type intake struct {
	feed Feed
	// early is what every image is judged with.
	early *registry.UseIndex

	mu   sync.Mutex
	held []scanner.Item // came before it was known that the early uses are over
	late []registry.Use
}

// newIntake reads the feed as far as the early uses go. Nothing else may receive
// from it.
func newIntake(feed Feed) *intake {
	in := &intake{feed: feed}
	var uses []registry.Use
	for item := range feed.Items() {
		if item.Use != nil {
			uses = append(uses, *item.Use)
			continue
		}
		in.held = append(in.held, item)
		if item.Gap == nil {
			break
		}
	}
	in.early = registry.NewUseIndex(uses)
	return in
}

// items are all items but the uses. Several goroutines may range over it, and
// each item goes to one of them.
func (in *intake) items() iter.Seq[scanner.Item] {
	return func(yield func(scanner.Item) bool) {
		for item, ok := in.unhold(); ok; item, ok = in.unhold() {
			if !yield(item) {
				return
			}
		}
		for item := range in.feed.Items() {
			if item.Use != nil {
				in.mu.Lock()
				in.late = append(in.late, *item.Use)
				in.mu.Unlock()
				continue
			}
			if !yield(item) {
				return
			}
		}
	}
}

func (in *intake) unhold() (item scanner.Item, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.held) == 0 {
		return scanner.Item{}, false
	}
	item, in.held = in.held[0], in.held[1:]
	return item, true
}

// deferred are the verdicts that delete something and that wait for the late
// uses, with what was planned of them.
type deferred struct {
	mu       sync.Mutex
	verdicts []registry.Verdict
	parts    []plan.Part
}

// hold keeps back the part of an image that deletes something.
func (d *deferred) hold(v registry.Verdict, part plan.Part) bool {
	if v.Image == nil || !part.Deletes() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.verdicts = append(d.verdicts, v)
	d.parts = append(d.parts, part)
	return true
}

// settle plans again what the late uses are about, and adds everything.
func (d *deferred) settle(b *plan.Builder, late []registry.Use, o plan.Options) {
	index := registry.NewUseIndex(late)
	for i := range d.verdicts {
		if learn(&d.verdicts[i], index) {
			d.parts[i] = plan.PlanVerdict(d.verdicts[i], o)
		}
		b.Add(d.parts[i])
	}
}

// learn adds uses to a verdict, and reports whether there are any.
func learn(v *registry.Verdict, index *registry.UseIndex) bool {
	image, tags := index.InImage(v.Image)
	if image == nil && tags == nil {
		return false
	}
	v.InUse = registry.MergeUsers(v.InUse, image)
	if tags == nil {
		return true
	}
	if len(v.Tags) == 0 {
		v.Tags = make([]registry.TagVerdict, len(v.Image.Tags))
	}
	for i := range v.Tags {
		v.Tags[i].InUse = registry.MergeUsers(v.Tags[i].InUse, tags[i])
	}
	return true
}

// lateGaps are gaps in place of late uses, for who has not kept what they are
// about: everything of those images is held.
func lateGaps(late []registry.Use) []registry.Gap {
	var gaps []registry.Gap
	for _, u := range late {
		g := registry.Gap{
			Error: "used by " + u.By + ", which came to be while the registry was read",
			Holds: registry.HoldsItself,
		}
		if u.Ref == (registry.Ref{}) {
			g.Subject, g.Holds = u.Digest, registry.HoldsAll
		} else {
			image := u.Ref
			image.Tag = ""
			g.Subject = image.String()
		}
		gaps = append(gaps, g)
	}
	return gaps
}
