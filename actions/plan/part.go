package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Part is what one verdict adds to the plan. Builder.Add takes it.
type Part struct {
	subject    registry.Ref
	tags       int
	bytes      uint64
	public     bool    // everybody may pull the image
	asked      entries // what a rule asks for
	follow     entries // attachments that only follow their subject
	violations []registry.Violation
	gaps       []registry.Gap
	image      *actions.PlannedImage // nil when nothing of an image is deleted
}

// Deletes says whether a step of the part deletes anything.
func (p *Part) Deletes() bool {
	deletes := func(s actions.Step) bool { return s.Action.Deletes() }
	return slices.ContainsFunc(p.asked.steps, deletes) || slices.ContainsFunc(p.follow.steps, deletes)
}

// entries are changes, to be made and held.
type entries struct {
	steps []actions.Step
	held  []actions.Held
}

func (e *entries) step(s actions.Step) { e.steps = append(e.steps, s) }

func (e *entries) hold(a actions.Action, ref string, g actions.Guard, detail string, reasons []registry.Reason) {
	e.held = append(e.held, actions.Held{Action: a, Ref: ref, Guard: g, Detail: detail, Reasons: reasons})
}

func (e *entries) add(other entries) {
	e.steps = append(e.steps, other.steps...)
	e.held = append(e.held, other.held...)
}

// Steps are the changes that the verdict led to, before gaps are known.
func (p Part) Steps() []actions.Step { return slices.Concat(p.asked.steps, p.follow.steps) }

// Silent says whether the verdict led to nothing: no change, made or held, and
// no violation.
func (p Part) Silent() bool {
	return len(p.asked.steps)+len(p.asked.held)+len(p.follow.steps)+len(p.follow.held)+len(p.violations) == 0
}

// PlanVerdict turns the judgement of one image or namespace into its part of
// the plan: every guard but gap is applied here, the gaps and the limits, which
// need to see everything, in Builder.Plan. It is pure and may be called from
// several goroutines; it keeps nothing of the verdict but strings.
func PlanVerdict(v registry.Verdict, o Options) Part {
	if v.Image == nil {
		return planNamespace(v, o)
	}
	part := Part{
		subject: registry.Ref{Region: v.Namespace.Region, Namespace: v.Namespace.Name, Image: v.Image.Name},
		tags:    len(v.Image.Tags),
		bytes:   v.Image.SizeBytes,
		public:  v.Image.EffectiveVisibility() == registry.Public,
	}
	if silent(&v, &o) {
		return part // the common case: it must not allocate
	}
	return planImage(v, o, part)
}

// silent says whether there is nothing to plan or report about an image.
func silent(v *registry.Verdict, o *Options) bool {
	if v.Err != nil || v.Visibility != nil || len(v.Violations) > 0 || len(v.Delete) > 0 ||
		v.Image.Status != registry.StatusReady || v.Namespace.Status != registry.StatusReady {
		return false
	}
	for i := range v.Tags {
		if len(v.Tags[i].Delete) > 0 {
			return false
		}
	}
	horizon := o.scannedAt().Add(clockTolerance)
	for i := range v.Image.Tags {
		t := &v.Image.Tags[i]
		if t.Status != registry.StatusReady || t.UpdatedAt.After(horizon) || t.CreatedAt.After(horizon) {
			return false
		}
	}
	return len(v.Tags) == 0 || len(v.Tags) == len(v.Image.Tags)
}

// drafter writes one part.
type drafter struct {
	o    *Options
	part *Part
}

func (d *drafter) warn(ref, rule, text string) {
	d.part.violations = append(d.part.violations, registry.Violation{
		Ref: ref, Severity: registry.Warn, Reason: registry.Reason{Rule: rule, Text: text},
	})
}

func (d *drafter) gap(subject string, err error) {
	d.part.gaps = append(d.part.gaps, registry.Gap{Subject: subject, Error: oneLine(err)})
}

// visibility plans the change that a vote asks for, unless the object has that
// visibility already. A change of visibility is no deletion: of the guards only
// report_only holds it.
func (d *drafter) visibility(vote *registry.VisibilityVerdict, s actions.Step) {
	if vote == nil || vote.To == s.From {
		return
	}
	inherits := vote.To == registry.Inherit && s.Action == actions.SetImageVisibility
	if vote.To != registry.Private && vote.To != registry.Public && !inherits {
		d.gap(s.Ref, fmt.Errorf("a policy asks for the visibility %q, which it cannot have", vote.To))
		return
	}
	s.To, s.Reasons = vote.To, vote.Reasons
	if reportOnly(vote.Reasons) {
		d.part.asked.hold(s.Action, s.Ref, actions.GuardReportOnly, "asked for only by "+unenforced(s.Reasons), s.Reasons)
		return
	}
	d.part.asked.step(s)
}

// reportOnly says whether no enforced rule is among the reasons.
func reportOnly(rs []registry.Reason) bool {
	return !slices.ContainsFunc(rs, func(r registry.Reason) bool { return !r.ReportOnly })
}

// unenforced names the rules of reasons that are all report-only.
func unenforced(rs []registry.Reason) string {
	var rules []string
	for _, r := range rs {
		rules = append(rules, r.Rule)
	}
	rules = slices.Compact(rules) // sorted by rule
	if len(rules) == 1 {
		return rules[0] + ", which is not enforced"
	}
	return text.Some(rules) + ", which are not enforced"
}

// graceLeft is how long a condemned tag has still to wait; 0 when it need not.
func (o *Options) graceLeft(t *registry.Tag, image string) time.Duration {
	if o.Grace <= 0 {
		return 0
	}
	since := o.TakenAt
	if o.CondemnedSince != nil {
		if known, ok := o.CondemnedSince(t.ID, t.Digest, image+":"+t.Name); ok && known.Before(since) {
			since = known
		}
	}
	return max(0, o.Grace-o.TakenAt.Sub(since))
}

// youth says why something dated so is too young to go, and "" if it is not. The
// later of both times counts: a tag that moved, and a copy that kept the date of
// its original, are as young as their younger date.
func (o *Options) youth(created, updated time.Time) string {
	newest := updated
	if created.After(newest) {
		newest = created
	}
	age := o.TakenAt.Sub(newest)
	switch {
	case age >= o.MinAge:
		return ""
	case age < 0 && o.Forecast:
		return "dated " + text.Age(-age) + " after the time of the forecast"
	case age < 0:
		return "dated " + text.Age(-age) + " after the scan"
	default:
		return text.Age(age) + " old, younger than the " + text.Exact(o.MinAge) + " of min_age"
	}
}
