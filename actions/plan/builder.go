package plan

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Builder joins the parts of a plan. Its memory is bounded by the plan, not by
// the registry. Call its methods from one goroutine at a time, in any order: the
// plan is the same.
type Builder struct {
	o          Options
	namespaces map[registry.Ref]*tally
	touched    map[string]actions.ImageStats
	asked      entries // what a rule asks for
	followers  entries // attachments that only follow their subject
	violations []registry.Violation
	gaps       []registry.Gap
	planned    map[registry.Ref]*actions.PlannedImage
	newest     map[string]bool                  // the newest pushes that a step deletes, by reference
	together   map[registry.Ref][][2]string     // digests of an image: of an index, and of a part of it
	contents   map[registry.Ref]*registry.Image // of which something is deleted, and is known what is in it
	fromCache  int                              // images
}

// tally counts what is in one namespace.
type tally struct {
	actions.NamespaceStats
	restored int // tags
	cached   int // images from the cache
	unseen   int // tags that only an earlier run saw: the rows of their images do not show them
}

// NewBuilder starts a plan.
func NewBuilder(o Options) *Builder {
	return &Builder{
		o: o, namespaces: make(map[registry.Ref]*tally), touched: make(map[string]actions.ImageStats),
		planned: make(map[registry.Ref]*actions.PlannedImage), newest: make(map[string]bool),
		together: make(map[registry.Ref][][2]string), contents: make(map[registry.Ref]*registry.Image),
	}
}

// Add adds the part that a verdict leads to.
func (b *Builder) Add(p Part) {
	t := b.tally(&p)
	if p.subject.Image != "" {
		t.count(&p)
		if len(p.direct.steps)+len(p.direct.held) > 0 {
			b.touched[p.subject.String()] = actions.ImageStats{Tags: p.tags, Bytes: p.bytes, Public: p.public, InPublic: p.inPublic}
		}
	}
	b.asked.add(p.direct)
	b.followers.add(p.followers)
	b.violations = append(b.violations, p.violations...)
	b.gaps = append(b.gaps, p.gaps...)
	if p.image != nil {
		b.planned[p.subject] = p.image
	}
	if len(p.together) > 0 && b.o.AtMost > 0 {
		b.together[p.subject] = p.together
	}
	if p.contents != nil {
		b.contents[p.subject] = p.contents
	}
	if p.newest != "" {
		b.newest[p.newest] = true
	}
}

// AddFromCache adds the part of an image whose tags an earlier run listed, and of whose
// tags its row shows so many now.
func (b *Builder) AddFromCache(p Part, shown int) {
	b.fromCache++
	b.Add(p)
	t := b.tally(&p)
	t.cached++
	t.unseen += max(0, p.tags-shown)
}

func (b *Builder) tally(p *Part) *tally {
	ref := p.subject.WithoutImage()
	if b.namespaces[ref] == nil {
		b.namespaces[ref] = new(tally)
	}
	return b.namespaces[ref]
}

// count adds what an image has.
func (t *tally) count(p *Part) {
	t.Images++
	t.Tags += p.tags
	t.restored += p.restored
	t.Bytes += p.bytes
	if p.inherits {
		t.InheritedBytes += p.bytes
	}
	if p.public {
		t.PublicImages++
		t.PublicBytes += p.bytes
	}
}

// AddGap adds something that could not be read. The deletions that it could have
// prevented are held, also those that were added before. A gap that holds nothing
// becomes a warning.
func (b *Builder) AddGap(g registry.Gap) {
	switch {
	case g.Holds == registry.HoldsNothing && g.Subject == actions.ClockSubject:
		b.warn(g.Subject, actions.ClockRule, g.Error)
		return
	case g.Holds == registry.HoldsNothing:
		b.warn(g.Subject, actions.SourceRule, "could not be read, and the configuration does not require it: "+g.Error)
		return
	}
	b.gaps = append(b.gaps, g)
}

// AddSkipped reports a namespace or an image that was not judged because its
// status is not ready.
func (b *Builder) AddSkipped(ref registry.Ref, status registry.Status) {
	rule := statusNamespaceRule
	if ref.Image != "" {
		rule = statusImageRule
	}
	b.warn(ref.String(), rule, skippedText(status))
}

// Warn reports what is most likely a mistake, and holds nothing.
func (b *Builder) Warn(warnings ...registry.Violation) {
	b.violations = append(b.violations, warnings...)
}

func (b *Builder) warn(ref, rule, text string) {
	b.violations = append(b.violations, warning(ref, rule, text))
}

// shares are how many tags of each namespace the plan deletes.
func (b *Builder) shares(p *actions.Plan) map[registry.Ref]Share {
	shares := make(map[registry.Ref]Share, len(b.namespaces))
	for ref, t := range b.namespaces {
		shares[ref] = Share{Tags: t.Tags - t.restored}
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action == actions.DeleteTag {
			ref := s.Object().WithoutImage()
			share := shares[ref]
			share.Deleted++
			shares[ref] = share
		}
	}
	return shares
}

// Plan finishes the plan: it applies the gaps, AtMost and the limits, sorts, counts and
// gives it its ID. Do not use the builder afterwards.
func (b *Builder) Plan() *actions.Plan {
	b.applyGaps()
	b.asked.add(b.followers)
	b.applyAtMost()
	b.warnOfNewest()
	p := &actions.Plan{
		Version: actions.Version, TakenAt: b.o.TakenAt.UTC().Round(0), ConfigDigest: b.o.ConfigDigest, PolicyDigest: b.o.PolicyDigest,
		Forecast: b.o.Forecast, Narrowed: b.o.Narrowed, Steps: b.asked.steps, Held: b.asked.held, Violations: b.violations, Images: b.plannedImages(),
		Stats: &actions.Stats{Images: b.touched, Namespaces: make(map[string]actions.NamespaceStats, len(b.namespaces))},
	}
	for _, g := range b.gaps {
		p.Gaps = append(p.Gaps, registry.Gap{Subject: g.Subject, Error: g.Error})
	}
	p.Summary.Namespaces, p.Summary.ImagesFromCache = len(b.namespaces), b.fromCache
	for ref, t := range b.namespaces {
		p.Summary.Images += t.Images
		p.Summary.Tags += t.Tags
		p.Stats.Bytes += t.Bytes
		p.Stats.Namespaces[ref.String()] = t.NamespaceStats
	}
	p.Arrange()
	b.measure(p)
	b.archiving(p)
	p.Refusals = Refusals(p.Summary.Deletions(), b.shares(p), b.o)
	p.Seal()
	return p
}

// warnOfNewest reports the images whose newest push is deleted, now that the guards
// have held what they hold: a rule that does so most likely matches too much.
func (b *Builder) warnOfNewest() {
	for i := range b.asked.steps {
		if s := &b.asked.steps[i]; b.newest[s.Ref] && s.Action == actions.DeleteTag {
			b.warn(s.Ref, newestRule, "the newest push of the image is marked for deletion, by "+text.Some(ruleNames(s.Reasons)))
		}
	}
}

// plannedImages are the images of which the steps still delete something, now
// that the gaps have held theirs.
func (b *Builder) plannedImages() []actions.PlannedImage {
	var planned []actions.PlannedImage
	for i := range b.asked.steps {
		s := &b.asked.steps[i]
		if image := b.planned[s.Object()]; image != nil && s.Action.Deletes() {
			planned = append(planned, *image)
			delete(b.planned, s.Object())
		}
	}
	return planned
}
