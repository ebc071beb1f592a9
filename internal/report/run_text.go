package report

import (
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// writeText writes the run for a terminal: the totals and what must not be missed,
// what each rule does, the details, what became of the steps (every one that was not
// done by its name), and then what must not be missed and the totals again.
func writeText(w io.Writer, run runs.Run, o TextOptions) error {
	p := run.Plan
	d, err := newDetails(o, run)
	if err != nil {
		return err
	}
	return o.write(w, "run.txt", p, template.FuncMap{
		"moment":   momentIn(run.Zone),
		"headline": headlineOf,
		"judged":   outline.Judged,
		"onHold":   func() string { return onHold },
		"refusals": o.refusals,
		"gaps":     o.gaps,
		"byRule":   func(p *actions.Plan) string { return o.byRule(p, run.Price) },
		"freed":    func() string { return outline.Freed(p.Summary.Frees, run.Price) },
		"archives": func() string { return outline.Archiving(p, run.Price) },
		"uncopied": func() string { return outline.Uncopied(p) },
		"details":  d.String,
		"counts":   outline.Counts,
		"lost":     describeLost,
		"noCopy":   outline.Unarchived,
		"notDone":  notDone,
		"result":   o.result,
		"summary":  summaryOf,
		"applied":  appliedIn(run.Zone),
		"took":     func() string { return strings.Join(effort(run), " and ") },
	})
}

// listMax bounds the lists of refusals and gaps, which come before everything else;
// with DetailsAll they are whole.
const listMax = 20

func (o TextOptions) refusals(all []actions.Refusal) string {
	return bounded(o, all, "refusal", func(r actions.Refusal) string {
		return o.wrap(2, 2, o.Color.Red(r.Limit)+": "+r.Detail)
	})
}

func (o TextOptions) gaps(all []registry.Gap) string {
	return bounded(o, all, "gap", func(g registry.Gap) string {
		return "  " + o.Color.Red(g.Subject) + "\n" + o.wrap(4, 2, g.Error)
	})
}

// bounded writes the first entries of a list, and counts the others.
func bounded[T any](o TextOptions, all []T, noun string, lineOf func(T) string) string {
	shown := all
	if o.Details != DetailsAll && len(all) > listMax {
		shown = all[:listMax]
	}
	lines := make([]string, 0, len(shown)+1)
	for _, e := range shown {
		lines = append(lines, lineOf(e))
	}
	if left := len(all) - len(shown); left > 0 {
		lines = append(lines, "  … and "+text.Count(left, "more "+noun)+": --details all lists them")
	}
	return strings.Join(lines, "\n")
}

// byRule is a table of what each rule does; "" if no rule does anything.
func (o TextOptions) byRule(p *actions.Plan, price runs.Price) string {
	totals := outline.ByRule(p.Steps, p.Held, p.Stats)
	if len(totals) == 0 {
		return ""
	}
	tags := 0
	rows := make([][]string, len(totals))
	for i, t := range totals {
		tags += t.Tags
		rows[i] = ruleRow(p, t)
	}
	columns := []string{"rule", "namespaces", "images", "tags", "image size", "oldest", "newest", "held"}
	if len(p.FreesByRule) > 0 {
		columns = append(columns, "frees")
		for i, t := range totals {
			rows[i] = append(rows[i], outline.Freed(outline.FreedBy(p, t.Rule), price))
		}
	}
	table := o.table("", columns, rows)
	if tags > p.Summary.DeleteTags {
		table += "\n" + o.Color.Dim("A tag that several rules mark counts for each of them.")
	}
	return table
}

func ruleRow(p *actions.Plan, t outline.RuleTotal) []string {
	size, oldest, newest := "", "", ""
	if t.Bytes > 0 {
		size = text.Size(t.Bytes)
	}
	if !t.Oldest.IsZero() {
		oldest, newest = text.Age(p.TakenAt.Sub(t.Oldest)), text.Age(p.TakenAt.Sub(t.Newest))
	}
	return []string{t.Rule, unlessZero(t.Namespaces), unlessZero(t.Images), unlessZero(t.Tags), size, oldest, newest, unlessZero(t.Held)}
}

// unlessZero is a number, and "" for none.
func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return text.Thousands(n)
}

func (o TextOptions) result(r actions.Result) string {
	if r == actions.ResultFailed || r == actions.ResultSkipped {
		return o.Color.Red(string(r))
	}
	return o.Color.Yellow(string(r))
}

// notDone are the steps that were not done, by their results and by why.
func notDone(o *actions.Outcome) []outline.Alike[actions.StepResult] {
	var out []outline.Alike[actions.StepResult]
	for _, result := range []actions.Result{
		actions.ResultFailed, actions.ResultBlocked, actions.ResultChanged, actions.ResultGone, actions.ResultSkipped,
	} {
		out = append(out, outline.Results(o, result)...)
	}
	return out
}

// onHold is what gaps lead to.
const onHold = "Deletions that the unread data might have prevented are on hold."

// describeDeleted is how much of an image is deleted, if its size is known.
func describeDeleted(run *runs.Run, image *outline.Object) string {
	p := run.Plan
	freed := outline.Freed(outline.FreedIn(p, image.Ref), run.Price)
	if freed != "" {
		freed = "; frees " + freed
	}
	if p.Stats == nil {
		return strings.Replace(freed, "; ", "  ", 1)
	}
	stats, ok := p.Stats.Images[image.Ref.String()]
	if !ok {
		return ""
	}
	whole := "  " + text.Count(stats.Tags, "tag") + ", " + text.Size(stats.Bytes)
	if stats.Tags == 0 {
		return whole
	}
	return whole + ": " + text.Thousands(len(image.Tags)) + " to delete, " + text.Thousands(stats.Tags-len(image.Tags)) + " kept" + freed
}

// ageOf is how long ago the object of a step changed.
func ageOf(p *actions.Plan, s actions.Step) string { return text.Age(p.TakenAt.Sub(s.UpdatedAt)) }

// describeLost are how many tags should have been kept, and what deleted them.
func describeLost(o *actions.Outcome) string {
	n := len(o.Lost)
	return text.Count(n, "tag") + " that should have been kept " + text.Choose(n, "is", "are") + " gone: the API deletes more than the request names"
}

// appliedIn makes the closing line of a plan that was applied, with the times of a zone.
func appliedIn(zone *time.Location) func(*actions.Outcome) string {
	return func(o *actions.Outcome) string { return appliedOf(o, zone) }
}

func appliedOf(o *actions.Outcome, zone *time.Location) string {
	line := "Applied: " + outline.Counts(o)
	if left := o.Failed + o.Skipped; left > 0 {
		line += "; " + text.Count(left, "step") + " left for the next run"
	}
	if archived := outline.Archived(o, time.Time{}, zone); archived != "" {
		line += "; " + archived
	}
	return line
}

// headlineOf sums up a plan in its first line.
func headlineOf(p *actions.Plan) string {
	summary := strings.TrimPrefix(summaryOf(p), "Plan: ")
	return strings.ToLower(summary[:1]) + summary[1:]
}

// summaryOf is the closing line of a plan.
func summaryOf(p *actions.Plan) string {
	found := rest(p.Summary)
	switch {
	case len(p.Steps) > 0:
		return "Plan: " + outline.Join(outline.Planned(p.Summary), found)
	case p.Incomplete(): // what could not be read may have something to do
		return "Incomplete: nothing could be planned: " + found
	case found != "":
		return "Nothing to do: " + found
	}
	return "Nothing to do: no rule marks anything for deletion, and nothing violates a policy"
}

// rest counts what a plan has besides its steps.
func rest(s actions.Summary) string {
	return outline.Join(outline.As(s.Held, "held"), severities(s), outline.Things(s.Gaps, "gap"))
}

func severities(s actions.Summary) string {
	return outline.Join(outline.As(s.Deny, "deny"), outline.As(s.Warn, "warn"), outline.As(s.Waived, "waived"))
}

// effort is how long a run took, and how many calls.
func effort(run runs.Run) []string {
	var facts []string
	if run.Duration > 0 {
		facts = append(facts, run.Duration.Round(10*time.Millisecond).String())
	}
	if run.Calls > 0 {
		facts = append(facts, text.Count(int(run.Calls), "API call"))
	}
	if run.Contents.Calls > 0 {
		facts = append(facts, text.Count(int(run.Contents.Calls), "registry call"))
	}
	return facts
}
