package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Explain writes the explanation as text.
func Explain(w io.Writer, e runs.Explanation) error {
	x := &explainer{e: outline.Clean(e)}
	x.line("%s", x.e.Ref)
	if x.e.Verdict == nil {
		x.notJudged()
	} else {
		x.subject()
		x.rules()
		x.visibility()
		x.violations()
		x.decision()
	}
	_, err := io.WriteString(w, x.b.String())
	return err
}

type explainer struct {
	e runs.Explanation
	b strings.Builder
}

func (x *explainer) line(format string, args ...any) {
	x.b.WriteString(fmt.Sprintf(format, args...))
	x.b.WriteByte('\n')
}

// field writes a name and its value, with the values in one column.
func (x *explainer) field(name, format string, args ...any) {
	x.line("  %-11s %s", name, fmt.Sprintf(format, args...))
}

func (x *explainer) notJudged() {
	if x.e.Note != "" {
		x.line("")
		x.line("Not judged: %s.", x.e.Note)
	}
	if x.e.Plan == nil {
		return
	}
	for _, g := range x.e.Plan.Gaps {
		x.line("")
		x.line("Gap: %s: %s", g.Subject, g.Error)
	}
	for _, v := range x.e.Plan.Violations {
		x.line("")
		x.line("%s: %s: %s", v.Severity, v.Rule, v.Text)
	}
}

func (x *explainer) subject() {
	v := x.e.Verdict
	switch i := x.e.Tag(); {
	case i >= 0:
		t := v.Image.Tags[i]
		x.field("digest", "%s", t.Digest)
		if others := sharers(v.Image, i); len(others) > 0 {
			x.field("shared with", "%s", strings.Join(others, ", "))
		}
		if subject, names := x.attachedTo(); len(names) > 0 {
			x.field("attached to", "%s (%s)", subject, strings.Join(names, ", "))
		} else if subject != "" {
			x.field("attached to", "%s (no tag of the image)", subject)
		}
		x.times(t.CreatedAt, t.UpdatedAt, t.Status)
	case v.Image != nil:
		x.field("tags", "%d", len(v.Image.Tags))
		x.field("visibility", "%s, in effect %s", v.Image.Visibility, v.Image.EffectiveVisibility())
		x.times(v.Image.CreatedAt, v.Image.UpdatedAt, v.Image.Status)
	default:
		x.field("images", "%d", v.Namespace.ImageCount)
		x.field("visibility", "%s", v.Namespace.Visibility())
		x.times(v.Namespace.CreatedAt, v.Namespace.UpdatedAt, v.Namespace.Status)
	}
}

func (x *explainer) times(created, updated time.Time, status registry.Status) {
	at := func(t time.Time) string {
		return fmt.Sprintf("%s, %s", text.Age(x.e.Plan.TakenAt.Sub(t)), t.UTC().Format(time.RFC3339))
	}
	x.field("updated", "%s", at(updated))
	x.field("created", "%s", at(created))
	x.field("status", "%s", status)
}

// attachedTo is the subject of the tag that is explained, and the tags that have that
// digest. It is "" for an ordinary tag.
func (x *explainer) attachedTo() (subject registry.Subject, names []string) {
	i := x.e.Tag()
	if i < 0 {
		return "", nil
	}
	tags := x.e.Verdict.Image.Tags
	subject = registry.AttachmentSubject(tags[i].Name, tags[i].Digest)
	for j := range tags {
		if subject.Is(tags[j].Digest) {
			names = append(names, tags[j].Name)
		}
	}
	return subject, names
}

// sharers are the other tags with the digest of one, none if it is not known.
func sharers(img *registry.Image, i int) []string {
	if img.Tags[i].Digest == "" {
		return nil
	}
	var out []string
	for j, t := range img.Tags {
		if j != i && t.Digest == img.Tags[i].Digest {
			out = append(out, t.Name)
		}
	}
	return out
}

func (x *explainer) rules() {
	mark, keep := x.e.Reasons()
	x.line("")
	x.section("Marked for deletion by", mark)
	x.section("Kept by", keep)
	if uses := x.e.InUse(); x.e.Tag() >= 0 && len(uses) > 0 {
		x.field("In use", "%s", strings.Join(uses, ", "))
	}
}

func (x *explainer) section(title string, reasons []registry.Reason) {
	if len(reasons) == 0 {
		x.line("%s no rule", title)
		return
	}
	x.line("%s", title)
	for _, r := range reasons {
		x.line("  %s: %s%s", r.Rule, r.Text, origin(r))
	}
}

// origin is where a rule of the operator's own is, and that a rule is only tried.
func origin(r registry.Reason) string {
	place := outline.Place(r)
	if !r.ReportOnly {
		return place
	}
	return " (" + outline.Join("report only", strings.Trim(place, " ()")) + ")"
}

func (x *explainer) visibility() {
	wanted := x.e.Verdict.Visibility
	if wanted == nil || x.e.Ref.Tag != "" {
		return
	}
	present := x.e.Verdict.Namespace.Visibility()
	if image := x.e.Verdict.Image; image != nil {
		present = image.Visibility
	}
	title := "Visibility becomes " + string(wanted.To) + " by"
	if wanted.To == present {
		title = "Visibility remains " + string(wanted.To) + " by"
	}
	x.section(title, wanted.Reasons)
}

func (x *explainer) violations() {
	for _, v := range x.e.Plan.Violations {
		switch {
		case v.Ref == x.e.Ref.String():
			x.line("%s: %s: %s", v.Severity, v.Rule, v.Text)
		case v.Rule == actions.SourceRule:
			x.line("%s: %s: %s: %s", v.Severity, v.Rule, v.Ref, v.Text)
		}
	}
}

// decision is what happens to the object, and what decided that.
func (x *explainer) decision() {
	p := x.e.Plan
	ref := x.e.Ref.String()
	x.line("")
	if x.e.Verdict.Err != nil {
		x.line("Error: %v", x.e.Verdict.Err)
	}
	for _, g := range p.Gaps {
		x.line("Gap: %s: %s", g.Subject, g.Error)
	}
	deleted, held := false, 0
	for _, s := range p.Steps {
		if s.Ref == ref {
			x.step(s)
			deleted = deleted || s.Action.Deletes()
		}
	}
	for _, h := range p.Held {
		if h.Ref == ref {
			x.line("Decision: kept, on hold by the guard %s: %s.", h.Guard, h.Detail)
			held++
		}
	}
	if !deleted && held == 0 {
		x.kept()
	}
	if x.e.Ref.Tag == "" && x.e.Verdict.Image != nil {
		x.line("Its tags: %d to delete, %d held, %d in total.", p.Summary.DeleteTags, p.Summary.Held-held, len(x.e.Verdict.Image.Tags))
	}
}

// kept is why an object without a step and without a hold is kept.
func (x *explainer) kept() {
	mark, keep := x.e.Reasons()
	switch _, subjects := x.attachedTo(); {
	case len(keep) == 0 && len(subjects) > 0:
		x.line("Decision: kept. It is an attachment and follows its subject: it stays while %s does.", text.List(subjects, "or"))
	case len(keep) == 0:
		x.line("Decision: kept. No rule marks it for deletion.")
	case len(mark) == 0:
		x.line("Decision: kept. No rule marks it for deletion, and %s keeps it.", keep[0].Rule)
	default:
		x.line("Decision: kept by %s. Any keep beats every delete.", keep[0].Rule)
	}
}

func (x *explainer) step(s actions.Step) {
	if !s.Action.Deletes() {
		x.line("Decision: its visibility changes from %s to %s.", s.From, s.To)
		return
	}
	if mark, _ := x.e.Reasons(); len(mark) == 0 && len(s.Reasons) > 0 {
		x.line("Decision: deleted, because it %s. No rule keeps it, and no guard holds it.", s.Reasons[0].Text)
		return
	}
	var rules []string
	for _, r := range s.Reasons {
		rules = append(rules, r.Rule)
	}
	x.line("Decision: deleted by %s. No rule keeps it, and no guard holds it.", strings.Join(rules, " and "))
}
