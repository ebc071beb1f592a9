package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Text writes the run for people: what was judged, then namespace by namespace
// what goes, changes and is held, every tag by its name, then violations, gaps
// and refusals, and one line that counts it all. Colour adds nothing that the
// words do not say.
func Text(w io.Writer, run runs.Run, o TextOptions) error {
	t := &textReport{printer: newPrinter(w, o), plan: run.Plan}
	t.header()
	for _, ns := range groupByNamespace(run.Plan) {
		t.namespace(ns)
	}
	t.violations()
	t.gaps()
	t.refusals()
	t.outcome()
	t.line(0)
	t.line(0, t.summary())
	if o := run.Plan.Outcome; o != nil && len(o.Results) > 0 {
		t.line(0, t.applied())
	}
	t.footer(run)
	return t.w.Flush()
}

type textReport struct {
	*printer
	plan *actions.Plan
}

func (t *textReport) header() {
	p, s := t.plan, t.plan.Summary
	scanned := text.Count(s.Namespaces, "namespace") + ", " + text.Count(s.Images, "image") + ", " + text.Count(s.Tags, "tag")
	if p.Stats != nil {
		scanned += ", " + text.Size(p.Stats.Bytes)
	}
	t.line(0, t.in(bold, "Plan of "+moment(p.TakenAt)), ": judged ", scanned)
	if p.ID != "" {
		t.line(0, t.in(dim, clean(p.ID)))
	}
	if p.Forecast {
		t.line(0)
		t.line(0, t.in(loud, "FORECAST"), ": judged as if it were ", moment(p.TakenAt), ". A forecast is never applied.")
	}
	if s.Gaps > 0 {
		t.line(0)
		t.line(0, t.in(loud, "INCOMPLETE"), ": ", text.Count(s.Gaps, "gap"), ", listed below. What a gap could have vetoed is held.")
	}
}

func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

func (t *textReport) violations() {
	s := t.plan.Summary
	if s.Deny+s.Warn == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(bold, "Violations"), ": ", listed(count{s.Deny, "deny"}, count{s.Warn, "warn"}))
	list := slices.Clone(t.plan.Violations)
	slices.SortStableFunc(list, func(a, b registry.Violation) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Ref, b.Ref))
	})
	for i, v := range list {
		if i == 0 || v.Severity != list[i-1].Severity || v.Rule != list[i-1].Rule || v.Source != list[i-1].Source {
			style := yellow
			if v.Severity == registry.Deny {
				style = red
			}
			t.line(2, t.in(style, clean(string(v.Severity))), " ", clean(v.Rule), clean(place(v.Source, v.CustomSeverity)))
		}
		t.line(4, clean(v.Ref), ": ", clean(v.Text))
	}
}

func (t *textReport) gaps() {
	if len(t.plan.Gaps) == 0 {
		return
	}
	t.line(0)
	t.line(0, t.in(loud, "GAPS"), ": ", text.Count(len(t.plan.Gaps), "thing"), " could not be read or judged, so the plan is incomplete")
	for _, g := range t.plan.Gaps {
		t.line(2, t.in(red, clean(g.Subject)))
		t.line(4, clean(g.Error))
	}
}

func (t *textReport) refusals() {
	if !t.plan.Refused() {
		return
	}
	t.line(0)
	t.line(0, t.in(loud, "REFUSED"), ": the plan exceeds its limits, so nothing of it may be applied")
	for _, r := range t.plan.Refusals {
		t.line(2, t.in(red, clean(r.Limit)), ": ", clean(r.Detail))
	}
}

// summary is the closing line.
func (t *textReport) summary() string {
	s := t.plan.Summary
	deletions := s.Deletions()
	rest := []count{{s.Held, "held"}, {s.Deny, "deny"}, {s.Warn, "warn"}, {s.Gaps, text.Choose(s.Gaps, "gap", "gaps")}}
	if len(t.plan.Steps) == 0 {
		if found := listed(rest...); found != "" {
			return t.in(bold, "Nothing to do") + ": " + found
		}
		return t.in(bold, "Nothing to do") + ": no rule condemns anything, and nothing violates a policy"
	}
	line := "Plan: " + text.Thousands(deletions) + " to delete, " + text.Thousands(s.SetVisibility) + " to change"
	if found := listed(rest...); found != "" {
		line += ", " + found
	}
	return t.in(bold, line)
}

func (t *textReport) footer(run runs.Run) {
	var facts []string
	if run.Duration > 0 {
		facts = append(facts, run.Duration.Round(10*time.Millisecond).String())
	}
	if run.Calls > 0 {
		facts = append(facts, text.Count(int(run.Calls), "API call"))
	}
	if len(facts) > 0 {
		t.line(0, t.in(dim, "It took "+strings.Join(facts, " and ")))
	}
}

// count is a number of something.
type count struct {
	n    int
	what string
}

// listed lists what there is of each.
func listed(counts ...count) string {
	var out []string
	for _, c := range counts {
		if c.n > 0 {
			out = append(out, text.Thousands(c.n)+" "+c.what)
		}
	}
	return strings.Join(out, ", ")
}

// place says where a rule of the operator's own stands, and how severe it is by
// its own word.
func place(source, severity string) string {
	switch {
	case severity != "" && source != "":
		source += ", severity " + severity
	case severity != "":
		source = "severity " + severity
	}
	if source == "" {
		return ""
	}
	return " (" + source + ")"
}
