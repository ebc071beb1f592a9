package metrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The values are those that an earlier process left; counters begin anew.
func TestMetricsAreTakenUp(t *testing.T) {
	start := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	applied := runs.Run{Kind: runs.KindApply, Trigger: "nightly", Started: start, Duration: time.Minute, Plan: &actions.Plan{
		Steps:   []actions.Step{{Action: actions.DeleteTag, Ref: "rg.fr-par.scw.cloud/prod/api:a", Region: "fr-par"}},
		Outcome: &actions.Outcome{Done: 1, Results: []actions.StepResult{{Action: actions.DeleteTag, Ref: "rg.fr-par.scw.cloud/prod/api:a", Result: actions.ResultDone}}},
	}}
	latest := runs.Run{Kind: runs.KindPlan, Trigger: "watch", Started: start.Add(time.Hour), Error: "failed", Exit: 1, Plan: &actions.Plan{Summary: actions.Summary{Tags: 7}}}
	m := New("1")
	m.ForgetSchedules([]string{"nightly", "watch"})
	m.Leads(true)
	m.Resume(Past{Latest: &latest, Applied: &applied, Runs: []runs.Summary{latest.Summary(), applied.Summary()}})
	for series, want := range map[string]float64{
		"scanned_tags":                   7,
		"last_run_success":               0,
		"last_success_timestamp_seconds": float64(start.Add(time.Minute).Unix()),
		`applied_steps{action="delete_tag",region="fr-par",result="done"}`: 1,
		`schedule_last_run_success{schedule="nightly"}`:                    1,
		`schedule_last_run_success{schedule="watch"}`:                      0,
		`steps_total{action="delete_tag",result="done"}`:                   0,
	} {
		if got, found := valueOf(t, m, series); !found || got != want {
			t.Errorf("%s is %v (%t), want %v", series, got, found, want)
		}
	}
	if _, found := valueOf(t, m, `runs_total{kind="plan",result="failed",schedule="watch"}`); found {
		t.Error("a run of an earlier process is counted")
	}
}

// Namespaces that were shown by name stay, also in the next process, when others come that
// are before them in the alphabet.
func TestNamespacesKeepTheirPlace(t *testing.T) {
	run := func(first int) runs.Run {
		stats := &actions.Stats{Namespaces: map[string]actions.NamespaceStats{}}
		for i := range maxNamespaces {
			stats.Namespaces[fmt.Sprintf("rg.fr-par.scw.cloud/n%04d", first+i)] = actions.NamespaceStats{Images: 1}
		}
		return runs.Run{Kind: runs.KindPlan, Plan: &actions.Plan{Stats: stats}}
	}
	before := New("1")
	before.Set(run(1000))
	after := New("1")
	after.Resume(Past{Latest: &runs.Run{Plan: &actions.Plan{}}, Namespaces: before.Namespaces()})
	both := run(1000)
	for ref, n := range run(0).Plan.Stats.Namespaces {
		both.Plan.Stats.Namespaces[ref] = n
	}
	for name, m := range map[string]*Metrics{"the same process": before, "the next process": after} {
		m.Set(both)
		if got, _ := valueOf(t, m, `images{namespace="n1000",region="fr-par"}`); got != 1 {
			t.Errorf("%s: a namespace lost its series", name)
		}
		if got, _ := valueOf(t, m, `images{namespace="other",region="fr-par"}`); got != maxNamespaces {
			t.Errorf("%s: %v namespaces share a series", name, got)
		}
	}
}
