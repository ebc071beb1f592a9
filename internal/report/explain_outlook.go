package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// later is one line about what becomes of an object: until when, what, and by which
// rules or guard.
type later struct{ When, What, By string }

// Later are the stages of the outlook, unless there is only the present.
func (x explained) Later() []later {
	if x.Outlook == nil || len(x.Outlook.Stages) < 2 {
		return nil
	}
	var lines []later
	stages := x.Outlook.Stages
	for i, s := range stages {
		line := later{When: "then"}
		if i+1 < len(stages) {
			next := stages[i+1]
			line.When = "until " + text.Moment(wholeSecond(s.Until), x.Zone)
			if s.Decision == runs.Kept && next.Decision == runs.Kept {
				if ending := without(s.Reasons, next.Reasons); len(ending) > 0 {
					s.Reasons = ending
				}
			}
		}
		line.What, line.By = whatBecomes(s)
		lines = append(lines, line)
	}
	return slices.Compact(lines) // two stages can end in one second
}

// laterLines puts the times into a column.
func (o TextOptions) laterLines(lines []later) []string {
	paint := map[string]func(string) string{"deleted": o.Color.Red, "kept, on hold": o.Color.Yellow, "kept": o.Color.Green}
	width := 0
	for _, l := range lines {
		width = max(width, len(l.When))
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = fmt.Sprintf("%-*s  %s%s", width, l.When, paint[l.What](l.What), l.By)
	}
	return out
}

// wholeSecond rounds up: what begins then has begun.
func wholeSecond(at time.Time) time.Time { return at.Add(time.Second - 1).Truncate(time.Second) }

// without are the reasons that another list does not have.
func without(reasons, others []registry.Reason) []registry.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r registry.Reason) bool { return slices.Contains(others, r) })
}

func whatBecomes(s runs.Stage) (what, by string) {
	switch s.Decision {
	case runs.Deleted:
		return "deleted", " by " + because(s.Reasons)
	case runs.Held:
		return "kept, on hold", " by the guard " + string(s.Guard)
	case runs.Kept:
		return "kept", " by " + because(s.Reasons)
	}
	return "kept", ": no rule marks it"
}

// because lists reasons by their rules.
func because(reasons []registry.Reason) string {
	var b strings.Builder
	for i, r := range reasons {
		switch {
		case i == 0:
		case reasons[i-1].Rule == r.Rule:
			b.WriteString(", " + r.Text)
			continue
		default:
			b.WriteString("; ")
		}
		b.WriteString(r.Rule + ": " + r.Text)
	}
	return b.String()
}

// NoDate is what ends the last stage; "" if the object is deleted then.
func (x explained) NoDate() string {
	if x.Outlook == nil {
		return ""
	}
	last := x.Outlook.Stages[len(x.Outlook.Stages)-1]
	if last.Ends == runs.EndRules {
		return noRuleEnds(last)
	}
	return map[runs.End]string{
		runs.EndPushes: "It has no date: it ends when newer pushes take its place.",
		runs.EndUses:   "It has no date: it ends when nothing uses it any more.",
		runs.EndOwn:    "It has no date: your own policies keep it, and when that ends is not known.",
		runs.EndOthers: "It has no date: it ends with the other tags that keep it.",
		runs.EndRuns:   "It has no date: the grace begins with the first run that marks it.",
		runs.EndStatus: "It has no date: it ends when that is read, judged or ready.",
	}[last.Ends]
}

// noRuleEnds words that only another configuration changes something.
func noRuleEnds(s runs.Stage) string {
	switch {
	case s.Decision == runs.Unmarked:
		return "No rule of the configuration marks it, however old it becomes."
	case s.Guard == actions.GuardReportOnly:
		return "It has no date: it ends when a rule that marks it is enforced."
	}
	return "It has no date: it stays for as long as the configuration keeps it."
}

// Unsure is what the outlook leaves out. In any case, a keep of the
// configuration stays one.
func (x explained) Unsure() string {
	if x.Outlook == nil || x.Outlook.Stages[0].Decision == runs.Deleted {
		return ""
	}
	last := x.Outlook.Stages[len(x.Outlook.Stages)-1]
	switch {
	case x.Outlook.Limit == runs.LimitOwn && last.Decision != runs.Kept:
		return "Your own policies can mark it or keep it at other times, which are not known."
	case x.Outlook.Limit == runs.LimitSize:
		return "The image has too many tags to look at every time: other tags may change this."
	}
	return ""
}
