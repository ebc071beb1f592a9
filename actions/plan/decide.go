package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Decide turns the verdict on one image or namespace into its part of the plan. It
// applies every guard except gap: gaps and limits need to see everything, and
// Builder.Plan applies them. Decide is pure and may be called from several
// goroutines.
func Decide(v registry.Verdict, o Options) Part {
	if v.Image == nil {
		return decideNamespace(v, o.at(v.Namespace.Ref()))
	}
	part := Quiet(v.Image, len(v.Image.Tags))
	for i := range v.Tags {
		if v.Tags[i].Restored {
			part.restored++
		}
	}
	if isSilent(&v, &o) {
		return part // the common case: it must not allocate
	}
	return decideImage(v, o.at(part.subject), part)
}

// isSilent reports whether there is nothing to plan or report about an image.
func isSilent(v *registry.Verdict, o *Options) bool {
	if v.Err != nil || v.Visibility != nil || len(v.Violations) > 0 || len(v.Delete) > 0 ||
		v.Image.UpdatedAt.Before(v.Image.CreatedAt) || v.Image.Status != registry.StatusReady || v.Namespace.Status != registry.StatusReady {
		return false
	}
	for i := range v.Tags {
		if len(v.Tags[i].Delete) > 0 {
			return false
		}
	}
	latest := o.latest()
	for i := range v.Image.Tags {
		t := &v.Image.Tags[i]
		if t.Status != registry.StatusReady || t.Changed().After(latest) || t.UpdatedAt.Before(t.CreatedAt) {
			return false
		}
		if c := v.Image.Contents[t.Digest]; c != nil && c.BuiltAt.After(latest) {
			return false
		}
	}
	return len(v.Tags) == 0 || len(v.Tags) == len(v.Image.Tags)
}

// Part is what one verdict adds to the plan. Builder.Add takes it.
type Part struct {
	subject    registry.Ref
	tags       int
	restored   int // of those, which take no place in any count
	bytes      uint64
	public     bool    // everyone may pull the image
	inherits   bool    // that depends on the namespace
	inPublic   bool    // the namespace is public
	direct     entries // what a rule asks for
	followers  entries // attachments that only follow their subject
	violations []registry.Violation
	gaps       []registry.Gap
	image      *actions.PlannedImage // nil when nothing of an image is deleted
	newest     string                // the newest push of the image, if a step deletes it
	contents   *registry.Image       // if something of it is deleted, and is known what is in it
	together   [][2]string           // digests of steps: of an index, and of a part of it
}

// Steps are the changes that the verdict leads to, before gaps are known.
func (p Part) Steps() []actions.Step { return slices.Concat(p.direct.steps, p.followers.steps) }

// Held are the changes that the verdict asks for and that a guard holds, before gaps
// are known.
func (p Part) Held() []actions.Held { return slices.Concat(p.direct.held, p.followers.held) }

// Changes reports whether the part has any step.
func (p *Part) Changes() bool { return len(p.direct.steps)+len(p.followers.steps) > 0 }

// Deletes reports whether a step of the part deletes anything.
func (p *Part) Deletes() bool {
	deletes := func(s actions.Step) bool { return s.Action.Deletes() }
	return slices.ContainsFunc(p.direct.steps, deletes) || slices.ContainsFunc(p.followers.steps, deletes)
}

// Quiet is the part of an image of which it is known that nothing follows from its tags.
func Quiet(image *registry.Image, tags int) Part {
	return Part{
		subject: image.Ref(), tags: tags, bytes: image.SizeBytes,
		public: image.EffectiveVisibility() == registry.Public, inherits: image.Visibility == registry.Inherit,
		inPublic: image.Namespace.Visibility() == registry.Public,
	}
}

// IsQuiet reports whether nothing at all follows from the verdict, and nothing is
// missing in it.
func (p Part) IsQuiet() bool { return p.Silent() && len(p.gaps) == 0 && p.newest == "" }

// Silent reports whether the verdict leads to nothing: no change, made or held,
// and no violation.
func (p Part) Silent() bool {
	return len(p.direct.steps)+len(p.direct.held)+len(p.followers.steps)+len(p.followers.held)+len(p.violations) == 0
}

// entries are changes, to be made and held.
type entries struct {
	steps []actions.Step
	held  []actions.Held
}

func (e *entries) step(s actions.Step) { e.steps = append(e.steps, s) }

func (e *entries) hold(a actions.Action, ref string, g actions.Guard, detail string, reasons []registry.Reason) *actions.Held {
	e.held = append(e.held, actions.Held{Action: a, Ref: ref, Guard: g, Detail: detail, Reasons: reasons})
	return &e.held[len(e.held)-1]
}

// holdTag holds the deletion of a tag.
func (e *entries) holdTag(t *registry.Tag, ref string, g actions.Guard, detail string, reasons []registry.Reason) {
	h := e.hold(actions.DeleteTag, ref, g, detail, reasons)
	h.Digest, h.UpdatedAt = t.Digest, t.UpdatedAt
}

// holdStep holds what is a step so far.
func (e *entries) holdStep(s *actions.Step, g actions.Guard, detail string) {
	h := e.hold(s.Action, s.Ref, g, detail, s.Reasons)
	h.Digest, h.UpdatedAt = s.Digest, s.UpdatedAt
}

func (e *entries) add(other entries) {
	e.steps = append(e.steps, other.steps...)
	e.held = append(e.held, other.held...)
}

func (p *Part) warn(ref, rule, text string) {
	p.violations = append(p.violations, warning(ref, rule, text))
}

func (p *Part) gap(subject string, err error) {
	p.gaps = append(p.gaps, registry.Gap{Subject: subject, Error: oneLine(err), Holds: registry.HoldsItself})
}

// setVisibility plans the change that the policies ask for, unless the object has
// that visibility already, or the API does not say which it has: then who can pull it
// now, and what a change would do to them, is not known. A change can be undone, so of
// the guards only report_only holds it.
func (p *Part) setVisibility(v *registry.VisibilityVerdict, s actions.Step) {
	if v == nil || v.To == s.From {
		return
	}
	inherits := v.To == registry.Inherit && s.Action == actions.SetImageVisibility
	if v.To != registry.Private && v.To != registry.Public && !inherits {
		p.gap(s.Ref, fmt.Errorf("a policy asks for the visibility %q, which it cannot have", v.To))
		return
	}
	switch s.From {
	case registry.Private, registry.Public, registry.Inherit:
	default:
		p.warn(s.Ref, visibilityRule, fmt.Sprintf("its visibility is %q, which says nothing, so it is not changed to %q: set it in the console", s.From, v.To))
		return
	}
	s.To, s.Reasons = v.To, v.Reasons
	if isReportOnly(v.Reasons) {
		p.direct.hold(s.Action, s.Ref, actions.GuardReportOnly, "required only by "+notEnforced(s.Reasons), s.Reasons)
		return
	}
	p.direct.step(s)
}

// isMarked is the whole of the conflict resolution: any keep beats any delete.
func isMarked(del, keep []registry.Reason) bool { return len(del) > 0 && len(keep) == 0 }

// isReportOnly reports whether no enforced rule is among the reasons.
func isReportOnly(reasons []registry.Reason) bool {
	return !slices.ContainsFunc(reasons, func(r registry.Reason) bool { return !r.ReportOnly })
}

// notEnforced names the rules of reasons that are all report-only.
func notEnforced(reasons []registry.Reason) string {
	rules := ruleNames(reasons)
	return text.Some(rules) + ", which " + text.Choose(len(rules), "is", "are") + " not enforced"
}

func ruleNames(reasons []registry.Reason) []string {
	var rules []string
	for _, r := range reasons {
		rules = append(rules, r.Rule)
	}
	return slices.Compact(rules) // sorted by rule
}

func policyError(err error) string { return "a policy failed: " + oneLine(err) }

// oneLine puts an error that may be several, which errors.Join puts on lines, on
// one line.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

func skippedText(s registry.Status) string {
	return "status is " + s.OrMissing() + ": skipped, so nothing in it is deleted"
}

// warning is what the plan itself reports.
func warning(ref, rule, text string) registry.Violation {
	return registry.Violation{Ref: ref, Severity: registry.Warn, Reason: registry.Reason{Rule: rule, Text: text}}
}
