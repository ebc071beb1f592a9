package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

var historyTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Each row is a step of a run, and its line.
func TestStepsAreInWords(t *testing.T) {
	planned := &actions.Step{Reasons: []registry.Reason{{Rule: "retention/prs", Text: "older than 14d"}}}
	for _, row := range []struct {
		kind runs.Kind
		step ledger.StepRecord
		want string
	}{
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Result: actions.ResultDone, Step: planned}, "deleted       tag x"},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteImage, Result: actions.ResultGone, Detail: "it was not there any more"}, "already gone  image x: it was not there any more"},
		{runs.KindApply, ledger.StepRecord{Action: actions.SetNamespaceVisibility, Result: actions.ResultDone}, "changed       visibility of namespace x"},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Result: actions.ResultChanged, Detail: "another digest"}, "left alone    tag x: another digest"},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Result: actions.ResultFailed, Detail: "a\x1b[31mb"}, `failed        tag x: a\x1b[31mb`},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Result: actions.ResultSkipped, Step: planned}, "not tried     tag x  [retention/prs: older than 14d]"},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Intended: historyTime, Step: planned}, "not known     tag x  [retention/prs: older than 14d]"},
		{runs.KindApply, ledger.StepRecord{Action: actions.DeleteTag, Step: planned}, "not tried     tag x  [retention/prs: older than 14d]"},
		{runs.KindPlan, ledger.StepRecord{Action: actions.DeleteTag, Step: planned}, "to delete     tag x  [retention/prs: older than 14d]"},
		{runs.KindPlan, ledger.StepRecord{Action: actions.SetImageVisibility, Step: planned}, "to change     visibility of image x  [retention/prs: older than 14d]"},
	} {
		row.step.Ref = "x"
		var b strings.Builder
		if err := RunDetails(&b, &ledger.RunDetails{RunRecord: ledger.RunRecord{Kind: row.kind}, Steps: []ledger.StepRecord{row.step}}, HistoryOptions{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if got := strings.TrimSpace(lines[len(lines)-1]); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// What needs attention is colored, and its words say so too.
func TestStatusesAreInWordsAndColored(t *testing.T) {
	records := []ledger.RunRecord{
		{ID: 6, Status: ledger.StatusRunning},
		{ID: 5, Status: ledger.StatusFailed, Ended: historyTime, Exit: 3},
		{ID: 4, Status: ledger.StatusDeclined, Ended: historyTime, Exit: 1},
		{ID: 3, Status: ledger.StatusFinished, Ended: historyTime, Exit: 1},
		{ID: 2, Status: ledger.StatusInterrupted},
		{ID: 1, Status: ledger.StatusFinished, Ended: historyTime},
	}
	var b strings.Builder
	if err := Runs(&b, records, HistoryOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[1:] {
		color, rest, _ := strings.Cut(strings.TrimPrefix(line, "\x1b["), "m")
		if !strings.HasPrefix(line, "\x1b") {
			color, rest = "plain", line
		}
		got = append(got, color+" "+strings.Fields(rest)[2])
	}
	want := []string{"36 running", "33 refused", "33 declined", "31 finished", "31 interrupted", "plain finished"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff + b.String())
	}
}

// A plan that the ledger no longer has is not a plan without steps.
func TestForgottenStepsAreReported(t *testing.T) {
	run := &ledger.RunDetails{RunRecord: ledger.RunRecord{PlanID: "sha256:p", Summary: &actions.Summary{StepCounts: actions.StepCounts{DeleteTags: 2}}}}
	var b strings.Builder
	if err := RunDetails(&b, run, HistoryOptions{}); err != nil || !strings.Contains(b.String(), "\nIts 2 steps are no longer kept.\n") {
		t.Errorf("%v %s", err, b.String())
	}
}
