package report

import (
	"io"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Explain writes the explanation as text.
func Explain(w io.Writer, e runs.Explanation, o TextOptions) error {
	x := newExplained(outline.Clean(e))
	return o.write(w, "explain.txt", x, template.FuncMap{
		"join":       func(names []string) string { return strings.Join(names, ", ") },
		"either":     func(names []string) string { return text.List(names, "or") },
		"age":        func(t time.Time) string { return text.Age(x.Plan.TakenAt.Sub(t)) },
		"moment":     momentIn(x.Zone),
		"section":    o.section,
		"lines":      o.laterLines,
		"becomes":    x.becomes,
		"sourceRule": func() string { return actions.SourceRule },
		"names":      func(reasons []registry.Reason) string { return strings.Join(ruleNames(reasons), " and ") },
	})
}

// explained is an explanation with what the plan has for the object itself.
type explained struct {
	*runs.Explanation
	Mark, Keep []registry.Reason
	Steps      []actions.Step
	Held       []actions.Held
}

func newExplained(e runs.Explanation) explained {
	x := explained{Explanation: &e}
	x.Mark, x.Keep = e.Reasons()
	if e.Plan != nil {
		ref := e.Ref.String()
		x.Steps = slices.DeleteFunc(slices.Clone(e.Plan.Steps), func(s actions.Step) bool { return s.Ref != ref })
		x.Held = slices.DeleteFunc(slices.Clone(e.Plan.Held), func(h actions.Held) bool { return h.Ref != ref })
	}
	return x
}

// Labels are the labels of the content, sorted: "team=data".
func (x explained) Labels() []string {
	var out []string
	for name, value := range x.Content().Labels {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// Sharers are the other tags with the digest of the tag, none if it is not known.
func (x explained) Sharers() []string {
	tags, i := x.Verdict.Image.Tags, x.Tag()
	var out []string
	for j := range tags {
		if digest := tags[j].KnownDigest(); j != i && digest != "" && digest == tags[i].Digest {
			out = append(out, tags[j].Name)
		}
	}
	return out
}

// Subject is what the tag is attached to; "" for an ordinary tag.
func (x explained) Subject() registry.Subject {
	if x.Tag() < 0 {
		return ""
	}
	return x.Verdict.Image.Subjects()[x.Tag()]
}

// Subjects are the tags that have the digest of the subject.
func (x explained) Subjects() []string {
	subject := x.Subject()
	if subject == "" {
		return nil
	}
	var names []string
	for _, t := range x.Verdict.Image.Tags {
		if subject.Is(t.Digest) {
			names = append(names, t.Name)
		}
	}
	return names
}

// Kept reports whether the object is kept without a guard.
func (x explained) Kept() bool {
	deletes := func(s actions.Step) bool { return s.Action.Deletes() }
	return len(x.Held) == 0 && !slices.ContainsFunc(x.Steps, deletes)
}

// HeldTags counts the tags of the image that guards hold.
func (x explained) HeldTags() int { return x.Plan.Summary.Held - len(x.Held) }

func (x explained) becomes(to registry.Visibility) string {
	present := x.Verdict.Namespace.Visibility()
	if image := x.Verdict.Image; image != nil {
		present = image.Visibility
	}
	if to == present {
		return "remains"
	}
	return "becomes"
}

// section lists reasons under a title.
func (o TextOptions) section(title string, reasons []registry.Reason) string {
	title = o.Color.Bold(title)
	if len(reasons) == 0 {
		return title + " no rule"
	}
	for _, r := range reasons {
		title += "\n  " + r.Rule + ": " + r.Text + origin(r)
	}
	return title
}

// origin is where a rule of the operator's own is, and that a rule is only tried.
func origin(r registry.Reason) string {
	place := outline.Place(r)
	if !r.ReportOnly {
		return place
	}
	return " (" + outline.Join("report only", strings.Trim(place, " ()")) + ")"
}

func ruleNames(reasons []registry.Reason) []string {
	names := make([]string, len(reasons))
	for i, r := range reasons {
		names[i] = r.Rule
	}
	return names
}
