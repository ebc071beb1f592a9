package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// HistoryOptions set how the history of a ledger looks.
type HistoryOptions struct {
	Color text.Color
	Zone  *time.Location // of the times; nil means UTC
	// Again returns a command with the same configuration; required by Events.
	Again func(args ...string) string
}

// Runs writes a table of runs, newest first.
func Runs(w io.Writer, records []ledger.RunRecord, o HistoryOptions) error {
	if len(records) == 0 {
		_, err := fmt.Fprintln(w, "No runs yet.")
		return err
	}
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tSTARTED\tKIND\tSTATUS\tEXIT\tSTEPS\tOUTCOME\tBY")
	for i := range records {
		r := &records[i]
		exit, steps := "-", "-" // of a run that is not over, or has no plan
		if !r.Ended.IsZero() {
			exit = strconv.Itoa(r.Exit)
		}
		if s := r.Summary; s != nil {
			steps = text.Thousands(s.Steps())
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, o.moment(r.Started), r.Kind, describeStatus(r), exit, steps, cmp.Or(resultCounts(r), "-"), r.Who)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, o.paintRuns(strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n"), records))
	return err
}

// paintRuns marks the heading and the runs that need attention. It paints whole lines,
// so that the columns stay in place.
func (o HistoryOptions) paintRuns(lines []string, records []ledger.RunRecord) string {
	lines[0] = o.Color.Bold(lines[0])
	for i := range records {
		lines[i+1] = o.paintRun(&records[i])(lines[i+1])
	}
	return strings.Join(lines, "\n") + "\n"
}

func (o HistoryOptions) paintRun(r *ledger.RunRecord) func(string) string {
	switch describeStatus(r) {
	case "finished":
		if r.Exit == exitIncomplete {
			return o.Color.Red
		}
		return func(s string) string { return s }
	case "declined", "refused":
		return o.Color.Yellow
	case "running":
		return o.Color.Cyan
	}
	return o.Color.Red
}

// The exit codes that a status does not show.
const (
	exitIncomplete = 1
	exitRefused    = 3
)

// describeStatus is the status in words: a run that a limit refused has not failed.
func describeStatus(r *ledger.RunRecord) string {
	if r.Status != ledger.StatusDeclined && r.Exit == exitRefused && !r.Ended.IsZero() {
		return "refused"
	}
	return string(r.Status)
}

func (o HistoryOptions) moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return text.Moment(at, o.Zone)
}

// resultCounts are the results of the steps: "2 done, 1 failed".
func resultCounts(r *ledger.RunRecord) string {
	var counts []string
	for _, result := range actions.Results() {
		counts = append(counts, outline.As(r.Counts[result], string(result)))
	}
	return outline.Join(append(counts, outline.As(r.Unresolved, "unresolved"))...)
}

// RunDetails writes one run with its steps.
func RunDetails(w io.Writer, run *ledger.RunDetails, o HistoryOptions) error {
	run = outline.Clean(run)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	field("run", strconv.FormatInt(run.ID, 10))
	field("kind", string(run.Kind))
	field("status", fmt.Sprintf("%s, exit code %d", describeStatus(&run.RunRecord), run.Exit))
	field("message", run.Message)
	field("started", o.moment(run.Started))
	field("ended", o.moment(run.Ended))
	field("by", run.Who+", "+run.Program)
	field("configuration", run.ConfigDigest)
	field("policies", run.PolicyDigest)
	field("plan", run.PlanID)
	for _, other := range run.SamePlan {
		field("same plan", "run "+strconv.FormatInt(other, 10))
	}
	if run.Approvals != nil {
		field("approvals", run.Approvals.Words())
	}
	field("outcome", resultCounts(&run.RunRecord))
	if err := table.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	for i := range run.Steps {
		o.step(&b, run, &run.Steps[i])
	}
	if run.PlanID != "" && len(run.Steps) == 0 && run.Summary != nil && run.Summary.Steps() > 0 {
		fmt.Fprintf(&b, "Its %s are no longer kept.\n", text.Count(run.Summary.Steps(), "step"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// step writes a line about a step: its result, what it is about, and why.
func (o HistoryOptions) step(b *strings.Builder, run *ledger.RunDetails, s *ledger.StepRecord) {
	word := describeResult(s.Action, s.Result)
	if s.Result == "" {
		word = withoutResult(run, s)
	}
	fmt.Fprintf(b, "  %s  %s %s", o.paintResult(s, fmt.Sprintf("%-12s", word)), subjectOf(s.Action), s.Ref)
	switch {
	case s.Detail != "":
		b.WriteString(": " + s.Detail)
	case s.Step != nil && !s.Result.Achieved():
		b.WriteString("  [" + reasonsOf(s.Step.Reasons) + "]")
	}
	b.WriteString("\n")
}

// withoutResult is what is known of a step without a result.
func withoutResult(run *ledger.RunDetails, s *ledger.StepRecord) string {
	switch {
	case !s.Intended.IsZero():
		return "not known"
	case run.Kind == runs.KindApply:
		return "not tried"
	case s.Action.Deletes():
		return "to delete"
	}
	return "to change"
}

func (o HistoryOptions) paintResult(s *ledger.StepRecord, word string) string {
	switch s.Result {
	case actions.ResultDone, actions.ResultGone:
		return o.Color.Green(word)
	case actions.ResultChanged, actions.ResultBlocked:
		return o.Color.Yellow(word)
	case "":
		if s.Intended.IsZero() {
			return word
		}
	}
	return o.Color.Red(word)
}
