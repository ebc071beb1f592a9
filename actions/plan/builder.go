package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Builder gathers the parts of a plan. Its memory is bounded by the plan, not by
// the registry. Its methods may be called from one goroutine at a time, in any
// order: the plan is the same.
type Builder struct {
	o          Options
	namespaces map[registry.Ref]*tally
	touched    map[string]actions.ImageStats
	asked      entries // what a rule asks for
	follow     entries // attachments that only follow their subject
	violations []registry.Violation
	gaps       []registry.Gap
	planned    map[registry.Ref]*actions.PlannedImage
}

// tally counts what is in one namespace, and how many of its tags go.
type tally struct {
	actions.NamespaceStats
	deleted int
}

// NewBuilder starts a plan.
func NewBuilder(o Options) *Builder {
	return &Builder{o: o, namespaces: make(map[registry.Ref]*tally), touched: make(map[string]actions.ImageStats), planned: make(map[registry.Ref]*actions.PlannedImage)}
}

// Add adds what one verdict came to.
func (b *Builder) Add(p Part) {
	t := b.tally(p.subject.WithoutImage())
	if p.subject.Image != "" {
		t.count(&p)
		if len(p.asked.steps)+len(p.asked.held) > 0 {
			b.touched[p.subject.String()] = actions.ImageStats{Tags: p.tags, Bytes: p.bytes}
		}
	}
	b.asked.add(p.asked)
	b.follow.add(p.follow)
	b.violations = append(b.violations, p.violations...)
	if p.image != nil {
		b.planned[p.subject] = p.image
	}
	for _, g := range p.gaps {
		b.AddGap(registry.Gap{Subject: g.Subject, Error: g.Error, Holds: registry.HoldsItself})
	}
}

func (b *Builder) tally(namespace registry.Ref) *tally {
	t := b.namespaces[namespace]
	if t == nil {
		t = new(tally)
		b.namespaces[namespace] = t
	}
	return t
}

// count adds what an image has.
func (t *tally) count(p *Part) {
	t.Images++
	t.Tags += p.tags
	t.Bytes += p.bytes
	if p.public {
		t.PublicImages++
		t.PublicBytes += p.bytes
	}
}

// AddGap adds something that could not be read. The deletions that it could have
// vetoed are held, also those that were added before. One that blinds nothing is a
// warning.
func (b *Builder) AddGap(g registry.Gap) {
	if g.Holds != registry.HoldsNothing {
		b.gaps = append(b.gaps, g)
		return
	}
	b.violations = append(b.violations, registry.Violation{
		Ref: g.Subject, Severity: registry.Warn, Reason: registry.Reason{Rule: actions.SourceRule, Text: "could not be asked what is in use, and the configuration does not require it: " + g.Error},
	})
}

// AddViolation adds a finding that came from no verdict.
func (b *Builder) AddViolation(v registry.Violation) {
	b.violations = append(b.violations, v)
}

// AddSkipped reports a namespace, an image or a tag that was not judged because
// its status is not ready.
func (b *Builder) AddSkipped(ref registry.Ref, status registry.Status) {
	b.violations = append(b.violations, registry.Violation{
		Ref: ref.String(), Severity: registry.Warn, Reason: registry.Reason{Rule: statusRule(ref), Text: skippedText(status)},
	})
}

// Plan finishes the plan: it applies the gaps and the limits, sorts, counts and
// gives it its ID. The builder is spent afterwards.
func (b *Builder) Plan() *actions.Plan {
	b.applyGaps()
	b.asked.add(b.follow)
	p := &actions.Plan{
		Version: actions.Version, TakenAt: b.o.TakenAt.UTC().Round(0), ConfigDigest: b.o.ConfigDigest, PolicyDigest: b.o.PolicyDigest,
		Forecast: b.o.Forecast, Steps: b.asked.steps, Held: b.asked.held, Violations: b.violations, Stats: b.stats(),
		Images: b.plannedImages(b.asked.steps),
	}
	for _, g := range b.gaps {
		p.Gaps = append(p.Gaps, registry.Gap{Subject: g.Subject, Error: g.Error})
	}
	p.Summary.Namespaces = len(b.namespaces)
	for _, t := range b.namespaces {
		p.Summary.Images += t.Images
		p.Summary.Tags += t.Tags
	}
	p.Arrange()
	p.Refusals = b.refusals(p)
	p.Seal()
	return p
}

func (b *Builder) stats() *actions.Stats {
	s := &actions.Stats{Images: b.touched, Namespaces: make(map[string]actions.NamespaceStats, len(b.namespaces))}
	for ref, t := range b.namespaces {
		s.Bytes += t.Bytes
		s.Namespaces[ref.String()] = t.NamespaceStats
	}
	return s
}

// applyGaps holds every deletion that a gap could have vetoed. An attachment
// that only follows its subject has no verdict left once the subject is held.
func (b *Builder) applyGaps() {
	blind := newBlindness(b.gaps)
	if blind == nil {
		return
	}
	for i := range b.asked.held {
		h := &b.asked.held[i]
		if detail := blind.veto(h.Action, h.Ref); detail != "" {
			h.Guard, h.Detail = actions.GuardGap, detail
		}
	}
	b.asked.steps = slices.DeleteFunc(b.asked.steps, func(s actions.Step) bool {
		detail := blind.veto(s.Action, s.Ref)
		if detail != "" {
			b.asked.hold(s.Action, s.Ref, actions.GuardGap, detail, s.Reasons)
		}
		return detail != ""
	})
	b.follow.steps = slices.DeleteFunc(b.follow.steps, func(s actions.Step) bool { return blind.veto(s.Action, s.Ref) != "" })
	b.follow.held = slices.DeleteFunc(b.follow.held, func(h actions.Held) bool { return blind.veto(h.Action, h.Ref) != "" })
}

// plannedImages are the images of which the steps still delete something, now
// that the gaps have held theirs.
func (b *Builder) plannedImages(steps []actions.Step) []actions.PlannedImage {
	var planned []actions.PlannedImage
	for i := range steps {
		if s := &steps[i]; s.Action == actions.DeleteTag || s.Action == actions.DeleteImage {
			if image := b.planned[s.Object()]; image != nil {
				planned = append(planned, *image)
				delete(b.planned, s.Object())
			}
		}
	}
	return planned
}

// blindness answers which deletions the gaps of a pass could have vetoed.
type blindness struct {
	wide    []veil            // by subject; at most one for each kind and region
	objects map[string]string // reference of a namespace or an image → why
}

// veil is a gap that blinds more than its subject.
type veil struct {
	prefix         string // of the references it covers
	onlyNamespaces bool
	detail         string
}

// newBlindness returns nil if there are no gaps.
func newBlindness(gaps []registry.Gap) *blindness {
	if len(gaps) == 0 {
		return nil
	}
	gaps = slices.Clone(gaps)
	slices.SortFunc(gaps, func(x, y registry.Gap) int {
		return cmp.Or(cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Error, y.Error),
			cmp.Compare(x.Holds, y.Holds), cmp.Compare(x.Region, y.Region))
	})
	blind := &blindness{objects: make(map[string]string)}
	for _, g := range gaps {
		detail := "a gap could have vetoed it: " + g.Subject + ": " + g.Error
		if g.Subject == "" {
			detail = "a gap could have vetoed it: " + g.Error
		}
		if _, ok := blind.objects[g.Subject]; !ok {
			blind.objects[g.Subject] = detail
		}
		if g.Holds == registry.HoldsItself {
			continue
		}
		v := veil{onlyNamespaces: g.Holds == registry.HoldsNamespaces, detail: detail}
		if g.Region != "" {
			v.prefix = registry.Ref{Region: g.Region}.String() + "/"
		}
		if !slices.ContainsFunc(blind.wide, func(w veil) bool {
			return w.prefix == v.prefix && w.onlyNamespaces == v.onlyNamespaces
		}) {
			blind.wide = append(blind.wide, v)
		}
	}
	return blind
}

// veto says why a gap holds a deletion, and "" if none does.
func (b *blindness) veto(a actions.Action, ref string) string {
	if !a.Deletes() {
		return ""
	}
	for _, v := range b.wide {
		if strings.HasPrefix(ref, v.prefix) && (!v.onlyNamespaces || a == actions.DeleteNamespace) {
			return v.detail
		}
	}
	if a == actions.DeleteTag {
		ref = ref[:strings.LastIndexByte(ref, ':')]
	}
	return b.objects[ref]
}
