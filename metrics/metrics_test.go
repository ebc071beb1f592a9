package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/report"
)

func plan() *actions.Plan {
	const api = "rg.fr-par.scw.cloud/prod/api"
	return &actions.Plan{
		TakenAt: time.Unix(1_795_000_000, 500_000_000),
		Summary: actions.Summary{Namespaces: 2, Images: 3, Tags: 40, DeleteTags: 2, Held: 1, Deny: 1, Warn: 1, Gaps: 1},
		Steps: []actions.Step{
			{Action: actions.DeleteTag, Ref: api + ":a", Region: "fr-par"},
			{Action: actions.DeleteTag, Ref: api + ":b", Region: "fr-par"},
		},
		Held:       []actions.Held{{Action: actions.DeleteTag, Ref: api + ":c", Guard: actions.GuardSharedDigest}},
		Violations: []actions.Violation{{Ref: api, Severity: registry.Deny, Rule: "naming/x"}, {Ref: api, Severity: registry.Warn, Rule: "naming/y"}},
		Gaps:       []actions.Gap{{Subject: api, Error: "no"}},
		Refusals:   []actions.Refusal{{Limit: "max_deletions", Detail: "too many"}},
		Outcome: &actions.Outcome{Done: 1, Failed: 1, Results: []actions.StepResult{
			{Ref: api + ":a", Action: actions.DeleteTag, Result: actions.ResultDone},
			{Ref: api + ":b", Action: actions.DeleteTag, Result: actions.ResultFailed},
		}},
		Stats: &actions.Stats{Bytes: 12345},
	}
}

const want = `
# HELP registry_janitor_applied_steps What became of the steps of the last plan, if it was applied.
# TYPE registry_janitor_applied_steps gauge
registry_janitor_applied_steps{action="delete_tag",region="fr-par",result="done"} 1
registry_janitor_applied_steps{action="delete_tag",region="fr-par",result="failed"} 1
# HELP registry_janitor_gaps Things that the last run could not read or judge.
# TYPE registry_janitor_gaps gauge
registry_janitor_gaps 1
# HELP registry_janitor_held_steps What rules asked for in the last run and a guard refused.
# TYPE registry_janitor_held_steps gauge
registry_janitor_held_steps{action="delete_tag",guard="shared_digest",region="fr-par"} 1
# HELP registry_janitor_last_run_success Whether the last run was complete: 1 without gaps, policy errors, refusals, failed and skipped steps, else 0.
# TYPE registry_janitor_last_run_success gauge
registry_janitor_last_run_success 0
# HELP registry_janitor_last_run_timestamp_seconds When the scan of the last run started, in Unix time.
# TYPE registry_janitor_last_run_timestamp_seconds gauge
registry_janitor_last_run_timestamp_seconds 1.7950000005e+09
# HELP registry_janitor_limits_refused Limits that refused the last plan: 1 for each.
# TYPE registry_janitor_limits_refused gauge
registry_janitor_limits_refused{limit="max_deletions"} 1
# HELP registry_janitor_planned_steps Steps of the last plan.
# TYPE registry_janitor_planned_steps gauge
registry_janitor_planned_steps{action="delete_tag",region="fr-par"} 2
# HELP registry_janitor_scanned_image_bytes Size of the images that the last run judged, as the API counts it.
# TYPE registry_janitor_scanned_image_bytes gauge
registry_janitor_scanned_image_bytes 12345
# HELP registry_janitor_scanned_tags Tags that the last run judged.
# TYPE registry_janitor_scanned_tags gauge
registry_janitor_scanned_tags 40
# HELP registry_janitor_violations Violations that the last run found.
# TYPE registry_janitor_violations gauge
registry_janitor_violations{rule="naming/x",severity="deny"} 1
registry_janitor_violations{rule="naming/y",severity="warn"} 1
`

func TestARunIsCounted(t *testing.T) {
	m := New("v1")
	m.Set(report.Run{Plan: plan()})
	if err := testutil.GatherAndCompare(m.Gatherer(), strings.NewReader(want),
		"registry_janitor_applied_steps", "registry_janitor_gaps", "registry_janitor_held_steps", "registry_janitor_last_run_success",
		"registry_janitor_last_run_timestamp_seconds", "registry_janitor_limits_refused", "registry_janitor_planned_steps",
		"registry_janitor_scanned_image_bytes", "registry_janitor_scanned_tags", "registry_janitor_violations"); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(m.Gatherer())
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func TestTheNextRunForgetsTheLast(t *testing.T) {
	m := New("v1")
	m.Set(report.Run{Plan: plan()})
	m.Set(report.Run{Plan: &actions.Plan{TakenAt: time.Unix(1, 0)}})
	for _, v := range []string{"applied_steps", "held_steps", "planned_steps", "violations", "limits_refused"} {
		if n, err := testutil.GatherAndCount(m.Gatherer(), "registry_janitor_"+v); n != 0 || err != nil {
			t.Errorf("%s still has %d values: %v", v, n, err)
		}
	}
}

func TestRulesHaveABoundedLabel(t *testing.T) {
	p := &actions.Plan{}
	for i := range 3 * maxRules {
		p.Violations = append(p.Violations, actions.Violation{Severity: registry.Warn, Rule: fmt.Sprint("rule ", i)})
	}
	m := New("v1")
	m.Set(report.Run{Plan: p})
	if n, err := testutil.GatherAndCount(m.Gatherer(), "registry_janitor_violations"); n != maxRules+1 || err != nil {
		t.Errorf("%d values: %v", n, err)
	}
}

func TestTextfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "janitor.prom")
	m := New("v1.2.3")
	m.Set(report.Run{Plan: plan()})
	if err := m.WriteTextfile(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `registry_janitor_build_info{version="v1.2.3"} 1`) {
		t.Errorf("%v: %s", err, text)
	}
	if err := m.WriteTextfile(filepath.Join(t.TempDir(), "missing", "x.prom")); err == nil {
		t.Error("a folder that is not there takes a file")
	}
}
