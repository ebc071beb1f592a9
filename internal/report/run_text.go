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
)

// writeText writes the run for a terminal: what was judged, then namespace by
// namespace what is deleted, changed and held, every tag by its name, then
// violations, gaps and refusals, what became of the steps (every one that was not
// done by its name), and one line with the totals.
func writeText(w io.Writer, run runs.Run, o TextOptions) error {
	p := run.Plan
	age := func(s actions.Step) string { return ageOf(p, s) }
	tagCell := func(s actions.Step) cell { return cell{s.Tag, age(s)} }
	tagRow := func(s actions.Step) []string { return []string{s.Tag, age(s), outline.Texts(s.Reasons)} }
	heldCell := func(h outline.Held) cell { return cell{name: h.Name()} }
	heldRow := func(h outline.Held) []string {
		return []string{h.Name(), h.Detail, "[" + outline.RulesOf(h.Reasons) + "]"}
	}
	return o.write(w, "run.txt", p, template.FuncMap{
		"moment":      momentIn(run.Zone),
		"judged":      outline.Judged,
		"onHold":      func() string { return onHold },
		"namespaces":  outline.Of,
		"indent":      func(n int, o *outline.Object) indented { return indented{o, strings.Repeat(" ", n)} },
		"fate":        func(o *outline.Object) string { return fateOf(p, o) },
		"step":        func(s actions.Step) string { return o.step(s, age(s)) },
		"tagRows":     func(indent string, tags []actions.Step) string { return rows(indent, tags, tagRow) },
		"tagColumns":  func(indent string, tags []actions.Step) string { return columns(o, indent, tags, tagCell) },
		"heldRows":    func(indent string, held []outline.Held) string { return rows(indent, held, heldRow) },
		"heldColumns": func(indent string, held []outline.Held) string { return columns(o, indent, held, heldCell) },
		"severities":  severities,
		"violations":  outline.ViolationsByRule,
		"counts":      outline.Counts,
		"lost":        lostWords,
		"notDone":     notDone,
		"result":      o.result,
		"summary":     summaryOf,
		"applied":     appliedOf,
		"took":        func() string { return strings.Join(effort(run), " and ") },
	})
}

// indented is an object, and the blanks before its lines.
type indented struct {
	*outline.Object
	Indent string
}

// step is what happens to an image or a namespace itself.
func (o TextOptions) step(s actions.Step, age string) string {
	switch s.Action {
	case actions.DeleteImage:
		return o.Color.Red("- delete the image") + ", unchanged for " + age
	case actions.DeleteNamespace:
		return o.Color.Red("- delete the namespace") + ", unchanged for " + age
	default:
		return o.Color.Cyan("~ visibility " + string(s.From) + " → " + string(s.To))
	}
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

// fateOf is how much of an image is deleted, if its size is known.
func fateOf(p *actions.Plan, image *outline.Object) string {
	if p.Stats == nil {
		return ""
	}
	stats, ok := p.Stats.Images[image.Ref.String()]
	if !ok {
		return ""
	}
	whole := "  " + text.Count(stats.Tags, "tag") + ", " + text.Size(stats.Bytes)
	if stats.Tags == 0 {
		return whole
	}
	return whole + ": " + text.Thousands(len(image.Tags)) + " to delete, " + text.Thousands(stats.Tags-len(image.Tags)) + " kept"
}

// ageOf is how long ago the object of a step changed.
func ageOf(p *actions.Plan, s actions.Step) string { return text.Age(p.TakenAt.Sub(s.UpdatedAt)) }

// lostWords are how many tags should have been kept, and what deleted them.
func lostWords(o *actions.Outcome) string {
	n := len(o.Lost)
	return text.Count(n, "tag") + " that should have been kept " + text.Choose(n, "is", "are") + " gone: the API deletes more than the request names"
}

// appliedOf is the closing line of a plan that was applied.
func appliedOf(o *actions.Outcome) string {
	line := "Applied: " + outline.Counts(o)
	if left := o.Failed + o.Skipped; left > 0 {
		line += "; " + text.Count(left, "step") + " left for the next run"
	}
	return line
}

// summaryOf is the closing line of a plan.
func summaryOf(p *actions.Plan) string {
	found := rest(p.Summary)
	switch {
	case len(p.Steps) > 0:
		return "Plan: " + outline.Join(outline.Planned(p.Summary), found)
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
	return outline.Join(outline.As(s.Deny, "deny"), outline.As(s.Warn, "warn"))
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
	return facts
}
