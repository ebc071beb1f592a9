package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The most lines of an applied plan, so that it fits on a screen whatever happened to
// how many steps. The ledger has the rest.
const (
	resultLines = 12 // about results that differ from done
	otherLines  = 4  // about gaps, and as many about lost tags
)

// Applied writes, for a terminal, what became of the steps of a plan: only what
// differs from done, grouped, and the counts.
func Applied(w io.Writer, run runs.Run, o TextOptions) error {
	run = outline.Clean(run)
	return o.write(w, "applied.txt", run.Plan, template.FuncMap{
		"moment":  momentIn(run.Zone),
		"onHold":  func() string { return onHold },
		"counts":  outline.Counts,
		"lost":    describeLost,
		"noCopy":  outline.Unarchived,
		"gaps":    gapLines,
		"cut":     func(lines []string) []string { return cut(lines, otherLines, "") },
		"notDone": notDoneShort,
		"result":  o.result,
		"summary": summaryOf,
		"applied": appliedIn(run.Zone),
		"took":    func() string { return strings.Join(effort(run), " and ") },
	})
}

func gapLines(gaps []registry.Gap) []string {
	lines := make([]string, len(gaps))
	for i, g := range gaps {
		lines[i] = g.Subject + ": " + g.Error
	}
	return lines
}

// cut keeps the lines, or as many as fit with one that counts the rest.
func cut(lines []string, most int, noun string) []string {
	if len(lines) <= most {
		return lines
	}
	rest := len(lines) - (most - 1)
	more := "and " + text.Thousands(rest) + " more"
	if noun != "" {
		more = "and " + text.Count(rest, "more "+noun)
	}
	return append(slices.Clone(lines[:most-1]), more)
}

// alikeResults are steps with the same result for the same reason.
type alikeResults struct {
	Result actions.Result
	What   string
	Lines  []string
}

// notDoneShort are the steps that were not done, within resultLines: each of them by
// its name if they fit, and otherwise how many of them each image has.
func notDoneShort(o *actions.Outcome) []alikeResults {
	groups := notDone(o)
	rank := map[actions.Result]int{}
	lines := 0
	for _, g := range groups {
		lines += 1 + len(g.Entries)
		if result := g.First().Result; rank[result] == 0 {
			rank[result] = 1 + len(rank)
		}
	}
	slices.SortStableFunc(groups, func(a, b outline.Alike[actions.StepResult]) int {
		return cmp.Or(rank[a.First().Result]-rank[b.First().Result], len(b.Entries)-len(a.Entries))
	})
	shown, each := groups, resultLines
	if lines > resultLines {
		shown = groups[:min(len(groups), resultLines/3)]
		each = resultLines/len(shown) - 1
	}
	var out []alikeResults
	for _, g := range shown {
		out = append(out, describeAlike(g.Entries, each))
	}
	if others := groups[len(shown):]; len(others) > 0 {
		steps := 0
		for _, g := range others {
			steps += len(g.Entries)
		}
		out = append(out, alikeResults{others[0].First().Result, text.Count(steps, "more step") + ", for " + text.Count(len(others), "other reason"), nil})
	}
	return out
}

// describeAlike describes steps that are alike in at most so many lines.
func describeAlike(steps []actions.StepResult, most int) alikeResults {
	f := alikeResults{Result: steps[0].Result, What: text.Count(len(steps), "step")}
	if steps[0].Detail != "" {
		f.What += ": " + steps[0].Detail
	}
	if len(steps) <= most {
		for _, s := range steps {
			f.Lines = append(f.Lines, string(s.Action)+" "+s.Ref)
		}
		return f
	}
	images := outline.GroupBy(steps, func(s actions.StepResult) string { return outline.Parse(s.Ref).WithoutTag().String() })
	slices.SortStableFunc(images, func(a, b outline.Alike[actions.StepResult]) int { return cmp.Compare(len(b.Entries), len(a.Entries)) })
	for _, i := range images {
		f.Lines = append(f.Lines, outline.Parse(i.First().Ref).WithoutTag().String()+": "+text.Count(len(i.Entries), "step"))
	}
	f.Lines = cut(f.Lines, most, "image")
	return f
}
