package actions

import (
	"cmp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Builder gathers the parts of a plan. Its memory is bounded by the plan, not by
// the registry. Its methods may be called from one goroutine at a time, in any
// order: the plan is the same.
type Builder struct {
	o          Options
	namespaces map[registry.Ref]*tally
	touched    map[string]ImageStats
	asked      entries // what a rule asks for
	follow     entries // attachments that only follow their subject
	violations []Violation
	gaps       []registry.Gap
	planned    []PlannedImage
}

// tally counts what is in one namespace, and how many of its tags go.
type tally struct {
	NamespaceStats
	deleted int
}

// NewBuilder starts a plan.
func NewBuilder(o Options) *Builder {
	return &Builder{o: o, namespaces: make(map[registry.Ref]*tally), touched: make(map[string]ImageStats)}
}

// Add adds what one verdict came to.
func (b *Builder) Add(p Part) {
	t := b.tally(registry.Ref{Region: p.subject.Region, Namespace: p.subject.Namespace})
	if p.subject.Image != "" {
		t.count(&p)
		if len(p.asked.steps)+len(p.asked.held) > 0 {
			b.touched[p.subject.String()] = ImageStats{Tags: p.tags, Bytes: p.bytes}
		}
	}
	b.asked.add(p.asked)
	b.follow.add(p.follow)
	b.violations = append(b.violations, p.violations...)
	if p.image != nil {
		b.planned = append(b.planned, *p.image)
	}
	for _, g := range p.gaps {
		b.AddGap(registry.Gap{Subject: g.Subject, Error: g.Error, Blinds: registry.BlindsItself})
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
	if g.Blinds != registry.BlindsNothing {
		b.gaps = append(b.gaps, g)
		return
	}
	b.violations = append(b.violations, Violation{
		Ref: g.Subject, Severity: registry.Warn, Rule: SourceRule, Text: "could not be asked what is in use, and the configuration does not require it: " + g.Error,
	})
}

// SourceRule is the rule of the warning that a use source could not be asked,
// which the configuration does not require. Its subject is the source.
const SourceRule = "protect/required"

// AddViolation adds a finding that came from no verdict.
func (b *Builder) AddViolation(v registry.Violation) {
	d := drafter{part: &Part{}}
	d.violations([]registry.Violation{v})
	b.violations = append(b.violations, d.part.violations...)
}

// AddSkipped reports a namespace, an image or a tag that was not judged because
// its status is not ready.
func (b *Builder) AddSkipped(ref registry.Ref, status registry.Status) {
	b.violations = append(b.violations, Violation{
		Ref: ref.String(), Severity: registry.Warn, Rule: statusRule(ref), Text: skippedText(status),
	})
}

// Plan finishes the plan: it applies the gaps and the limits, sorts, counts and
// gives it its ID. The builder is spent afterwards.
func (b *Builder) Plan() *Plan {
	b.applyGaps()
	b.asked.add(b.follow)
	p := &Plan{
		Version: Version, TakenAt: b.o.TakenAt.UTC().Round(0), ConfigDigest: b.o.ConfigDigest, PolicyDigest: b.o.PolicyDigest,
		Forecast: b.o.Forecast,
		Steps:    sorted(b.asked.steps, compareSteps), Held: sorted(b.asked.held, compareHeld),
		Violations: sorted(b.violations, compareViolations), Gaps: make([]Gap, 0, len(b.gaps)),
		Stats: b.stats(),
	}
	for _, g := range b.gaps {
		p.Gaps = append(p.Gaps, Gap{Subject: g.Subject, Error: g.Error})
	}
	slices.SortFunc(p.Gaps, func(x, y Gap) int {
		return cmp.Or(cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Error, y.Error))
	})
	p.Images = b.plannedImages(p.Steps)
	p.Summary = summarize(p)
	p.Summary.Namespaces = len(b.namespaces)
	for _, t := range b.namespaces {
		p.Summary.Images += t.Images
		p.Summary.Tags += t.Tags
	}
	p.Refusals = b.refusals(p)
	// A time that JSON cannot hold leaves the ID empty: Encode says so, and no
	// plan without an ID is ever applied.
	p.ID, _ = p.digest()
	return p
}

func (b *Builder) stats() *Stats {
	s := &Stats{Images: b.touched, Namespaces: make(map[string]NamespaceStats, len(b.namespaces))}
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
			h.Guard, h.Detail = GuardGap, detail
		}
	}
	b.asked.steps = slices.DeleteFunc(b.asked.steps, func(s Step) bool {
		detail := blind.veto(s.Action, s.Ref)
		if detail != "" {
			b.asked.hold(s.Action, s.Ref, GuardGap, detail, s.Reasons)
		}
		return detail != ""
	})
	b.follow.steps = slices.DeleteFunc(b.follow.steps, func(s Step) bool { return blind.veto(s.Action, s.Ref) != "" })
	b.follow.held = slices.DeleteFunc(b.follow.held, func(h Held) bool { return blind.veto(h.Action, h.Ref) != "" })
}

// plannedImages are the images of which the steps still delete something, now
// that the gaps have held theirs.
func (b *Builder) plannedImages(steps []Step) []PlannedImage {
	deleted := make(map[string]bool, len(b.planned))
	for i := range steps {
		if s := &steps[i]; s.Action == DeleteTag || s.Action == DeleteImage {
			deleted[imageRef(s.Action, s.Ref)] = true
		}
	}
	planned := slices.DeleteFunc(b.planned, func(i PlannedImage) bool { return !deleted[i.Ref] })
	slices.SortFunc(planned, func(x, y PlannedImage) int { return cmp.Or(cmp.Compare(x.Ref, y.Ref), cmp.Compare(x.ID, y.ID)) })
	if len(planned) == 0 {
		return nil
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
			cmp.Compare(x.Blinds, y.Blinds), cmp.Compare(x.Region, y.Region))
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
		if g.Blinds == registry.BlindsItself {
			continue
		}
		v := veil{onlyNamespaces: g.Blinds == registry.BlindsNamespaces, detail: detail}
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
func (b *blindness) veto(a Action, ref string) string {
	if !a.Deletes() {
		return ""
	}
	for _, v := range b.wide {
		if strings.HasPrefix(ref, v.prefix) && (!v.onlyNamespaces || a == DeleteNamespace) {
			return v.detail
		}
	}
	if a == DeleteTag {
		ref = ref[:strings.LastIndexByte(ref, ':')]
	}
	return b.objects[ref]
}

// sorted sorts in place; an absent list becomes an empty one.
func sorted[T any](list []T, compare func(a, b *T) int) []T {
	if list == nil {
		return []T{}
	}
	slices.SortFunc(list, func(a, b T) int { return compare(&a, &b) })
	return list
}

func compareSteps(a, b *Step) int {
	return cmp.Or(compareChanges(a.Ref, a.Action, b.Ref, b.Action),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Digest, b.Digest), a.UpdatedAt.Compare(b.UpdatedAt),
		cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), slices.CompareFunc(a.Reasons, b.Reasons, compareReasons))
}

// compareChanges is the order of steps and of held entries.
func compareChanges(ref string, action Action, otherRef string, otherAction Action) int {
	return cmp.Or(cmp.Compare(ref, otherRef), cmp.Compare(action, otherAction))
}

func compareHeld(a, b *Held) int {
	return cmp.Or(compareChanges(a.Ref, a.Action, b.Ref, b.Action),
		cmp.Compare(a.Guard, b.Guard), cmp.Compare(a.Detail, b.Detail), slices.CompareFunc(a.Reasons, b.Reasons, compareReasons))
}

func compareViolations(a, b *Violation) int {
	return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Text, b.Text), cmp.Compare(a.Source, b.Source))
}

// summarize counts what is in the plan.
func summarize(p *Plan) Summary {
	s := Summary{Held: len(p.Held), Gaps: len(p.Gaps)}
	for i := range p.Steps {
		switch p.Steps[i].Action {
		case DeleteTag:
			s.DeleteTags++
		case DeleteImage:
			s.DeleteImages++
		case DeleteNamespace:
			s.DeleteNamespaces++
		case SetImageVisibility, SetNamespaceVisibility:
			s.SetVisibility++
		}
	}
	for i := range p.Violations {
		if p.Violations[i].Severity == registry.Deny {
			s.Deny++
		} else {
			s.Warn++
		}
	}
	return s
}
