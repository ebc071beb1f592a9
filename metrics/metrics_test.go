package metrics

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	api   = "rg.fr-par.scw.cloud/prod/api"
	tools = "rg.nl-ams.scw.cloud/oss/tools"
)

var (
	start = time.Unix(1_795_000_000, 500_000_000)
	ended = start.Add(90 * time.Second)
)

// plan is one with everything in it.
func plan() *actions.Plan {
	return &actions.Plan{
		TakenAt: start,
		Summary: actions.Summary{Namespaces: 2, Images: 3, Tags: 40, StepCounts: actions.StepCounts{DeleteTags: 2}, Held: 2, Deny: 1, Warn: 1, Gaps: 1, Frees: frees(4_000_000_000, 3_000_000_000, 3)},
		Steps: []actions.Step{
			{Action: actions.DeleteTag, Ref: api + ":a", Region: "fr-par", Namespace: "prod"},
			{Action: actions.DeleteTag, Ref: api + ":b", Region: "fr-par", Namespace: "prod"},
		},
		Held: []actions.Held{
			{Action: actions.DeleteTag, Ref: api + ":c", Guard: actions.GuardSharedDigest},
			{Action: actions.DeleteImage, Ref: tools, Guard: actions.GuardNotEmpty},
		},
		Violations: []registry.Violation{{Ref: api, Severity: registry.Deny, Reason: registry.Reason{Rule: "naming/x"}}, {Ref: api, Severity: registry.Warn, Reason: registry.Reason{Rule: "naming/y"}}},
		Gaps:       []registry.Gap{{Subject: api, Error: "no"}},
		Refusals:   []actions.Refusal{{Limit: "max_deletion_percent", Detail: "too many"}, {Limit: "max_deletion_percent", Detail: "there too"}},
		Outcome: &actions.Outcome{Done: 1, Failed: 1, Lost: []string{api + ":z"}, Results: []actions.StepResult{
			{Ref: api + ":a", Action: actions.DeleteTag, Result: actions.ResultDone},
			{Ref: api + ":b", Action: actions.DeleteTag, Result: actions.ResultFailed},
		}},
		Images: []actions.PlannedImage{
			{Ref: "rg.fr-par.scw.cloud/prod/a", Frees: frees(3_000_000_000, 2_000_000_000, 1)},
			{Ref: api, Frees: frees(1_000_000_000, 1_000_000_000, 2)},
		},
		FreesByRule: []actions.RuleFrees{{Rule: "retention/old", Frees: frees(4_000_000_000, 3_000_000_000, 3)}},
		Stats: &actions.Stats{Bytes: 12_000_000_000, Namespaces: map[string]actions.NamespaceStats{
			"rg.fr-par.scw.cloud/prod": {Images: 2, Tags: 30, Bytes: 10_000_000_000},
			"rg.nl-ams.scw.cloud/oss":  {Images: 1, PublicImages: 1, Tags: 10, Bytes: 2_000_000_000, PublicBytes: 1_500_000_000},
		}},
	}
}

func frees(bytes, billed, unknown uint64) actions.Frees {
	return actions.Frees{Bytes: actions.Measured(bytes), Billed: actions.Measured(billed), Unknown: actions.Measured(unknown)}
}

func TestWhatThePlanFrees(t *testing.T) {
	m := populated(t)
	expect(t, m, `
		freed_bytes{namespace="oss",region="nl-ams"} 0
		freed_bytes{namespace="prod",region="fr-par"} 4e+09
		freed_bytes_by_rule{rule="retention/old"} 4e+09
		freed_unknown_tags 3
		estimated_savings_per_month{currency="EUR",namespace="oss",region="nl-ams"} 0
		estimated_savings_per_month{currency="EUR",namespace="prod",region="fr-par"} 0.081
	`)
	m.Set(runs.Run{Kind: "plan", Started: start, Plan: quiet()})
	for _, f := range gathered(t, m) {
		if name := f.GetName(); strings.Contains(name, "freed") || strings.Contains(name, "savings") {
			t.Errorf("%s has a value, and nothing is known", name)
		}
	}
}

// quiet is a plan with nothing to do.
func quiet() *actions.Plan { return &actions.Plan{TakenAt: start, Summary: actions.Summary{Tags: 1}} }

// populated are metrics in which every family has a value.
func populated(t *testing.T) *Metrics {
	t.Helper()
	m := New("v1")
	m.SetNext("nightly", start.Add(time.Hour))
	m.Reloaded(start, true)
	m.Leads(true)
	m.Set(runs.Run{Kind: "plan", Trigger: "nightly", Started: start, Duration: 90 * time.Second, Plan: quiet()})
	m.Set(runs.Run{
		Kind: "apply", Trigger: "nightly", Started: start, Duration: 90 * time.Second, Judging: 3 * time.Second, Calls: 70, Plan: plan(),
		Contents: runs.Contents{Read: 5, Known: 7, Unread: 1, Calls: 12, Bytes: 4096},
		Copies:   runs.Copies{Tags: 9, Failed: 1, Blobs: 4, Bytes: 2048},
		Price:    runs.Price{PerGB: 0.027, Currency: "EUR"},
		Sources:  []runs.UseSource{{Name: "kubernetes prod-eu", Uses: 12, ReadAt: start}, {Name: "serverless", Error: "forbidden"}},
	})
	m.Overlapped("nightly")
	m.Panicked("nightly")
	m.LedgerFailed()
	m.SetArchive(runs.Archive{Tags: 12, Restored: 1, Blobs: 30, Bytes: 1 << 20, Oldest: start, NextExpiry: start.Add(time.Hour)}, start)
	m.SetRestores(map[actions.Result]int64{actions.ResultDone: 2})
	m.Purged(start, true)
	m.Notified(nil)
	m.Notified(errors.New("no"))
	m.Waited(1500 * time.Millisecond)
	m.Retried("/registry/v1/regions/fr-par/namespaces", 503)
	request(t, m, http.MethodGet, "/registry/v1/regions/fr-par/namespaces", 200)
	return m
}

// expect holds some families against their text.
func expect(t *testing.T, m *Metrics, want string) {
	t.Helper()
	names := map[string]bool{}
	var text strings.Builder
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name := "registry_janitor_" + line[:strings.IndexAny(line, "{ ")]
		if !names[name] {
			help, kind := described(t, m, name)
			fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		}
		names[name] = true
		fmt.Fprintf(&text, "registry_janitor_%s\n", line)
	}
	var all []string
	for name := range names {
		all = append(all, name)
	}
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(text.String()), all...); err != nil {
		t.Error(err)
	}
}

func described(t *testing.T, m *Metrics, name string) (help, kind string) {
	t.Helper()
	for _, f := range gathered(t, m) {
		if f.GetName() == name {
			return f.GetHelp(), strings.ToLower(f.GetType().String())
		}
	}
	t.Fatalf("%s is not there", name)
	return "", ""
}

func TestARunIsCounted(t *testing.T) {
	expect(t, populated(t), `
		last_run_timestamp_seconds 1.7950000005e+09
		last_run_success 0
		last_run_duration_seconds 90
		last_run_policy_evaluation_seconds 3
		last_run_api_requests 70
		last_success_timestamp_seconds 1.7950000905e+09
		scanned_namespaces 2
		scanned_images 3
		scanned_tags 40
		scanned_image_bytes 1.2e+10
		images{namespace="prod",region="fr-par"} 2
		images{namespace="oss",region="nl-ams"} 1
		public_images{namespace="prod",region="fr-par"} 0
		public_images{namespace="oss",region="nl-ams"} 1
		tags{namespace="prod",region="fr-par"} 30
		tags{namespace="oss",region="nl-ams"} 10
		image_bytes{namespace="prod",region="fr-par"} 1e+10
		image_bytes{namespace="oss",region="nl-ams"} 2e+09
		public_image_bytes{namespace="prod",region="fr-par"} 0
		public_image_bytes{namespace="oss",region="nl-ams"} 1.5e+09
		estimated_storage_cost_per_month{currency="EUR",namespace="prod",region="fr-par"} 0.27
		estimated_storage_cost_per_month{currency="EUR",namespace="oss",region="nl-ams"} 0.0135
		condemned_tags{namespace="prod",region="fr-par"} 3
		condemned_tags{namespace="oss",region="nl-ams"} 0
		condemned_images{namespace="prod",region="fr-par"} 0
		condemned_images{namespace="oss",region="nl-ams"} 1
		held_steps{action="delete_tag",guard="shared_digest",region="fr-par"} 1
		held_steps{action="delete_image",guard="not_empty",region="nl-ams"} 1
		violations{rule="naming/x",severity="deny"} 1
		violations{rule="naming/y",severity="warn"} 1
		gaps 1
		limits_refused{limit="max_deletions"} 0
		limits_refused{limit="max_deletion_percent"} 1
		limits_refused{limit="anomaly"} 0
		lost_tags 1
		use_source_uses{source="kubernetes prod-eu"} 12
		use_source_uses{source="serverless"} 0
		use_source_last_read_timestamp_seconds{source="kubernetes prod-eu"} 1.7950000005e+09
		use_source_last_read_success{source="kubernetes prod-eu"} 1
		use_source_last_read_success{source="serverless"} 0
		use_source_errors_total{source="kubernetes prod-eu"} 0
		use_source_errors_total{source="serverless"} 1
		runs_total{kind="plan",result="succeeded",schedule="nightly"} 1
		runs_total{kind="apply",result="refused",schedule="nightly"} 1
		policy_evaluation_seconds_total 3
		content_reads_total{result="known"} 7
		content_reads_total{result="read"} 5
		content_reads_total{result="unread"} 1
		content_requests_total 12
		content_bytes_total 4096
	`)
}

func TestNothingToDoIsAZero(t *testing.T) {
	for name, want := range map[string]float64{
		`planned_steps{action="delete_tag",region="fr-par"}`:                 2,
		`planned_steps{action="delete_tag",region="nl-ams"}`:                 0,
		`planned_steps{action="set_image_visibility",region="nl-ams"}`:       0,
		`applied_steps{action="delete_tag",region="fr-par",result="done"}`:   1,
		`applied_steps{action="delete_tag",region="fr-par",result="failed"}`: 1,
		`applied_steps{action="delete_image",region="nl-ams",result="done"}`: 0,
		`steps_total{action="delete_tag",result="done"}`:                     1,
		`steps_total{action="delete_namespace",result="blocked"}`:            0,
		`run_panics_total{schedule="nightly"}`:                               1,
		`skipped_runs_total{schedule="nightly"}`:                             1,
		`notifications_total{result="sent"}`:                                 1,
		`notifications_total{result="failed"}`:                               1,
		`api_rate_limit_wait_seconds_total`:                                  1.5,
		`api_rate_limit_waits_total`:                                         1,
		`api_retries_total{code="503",operation="ListNamespaces"}`:           1,
		`api_requests_total{code="200",operation="ListNamespaces"}`:          1,
		`api_request_duration_seconds_count{operation="ListNamespaces"}`:     1,
		`ledger_errors_total`:                                                1,
		`leader`:                                                             1,
		`config_last_reload_success`:                                         1,
		`config_last_reload_success_timestamp_seconds`:                       1.7950000005e+09,
		`schedule_next_run_timestamp_seconds{schedule="nightly"}`:            1.7950036005e+09,
		`schedule_last_run_timestamp_seconds{schedule="nightly"}`:            1.7950000005e+09,
		`schedule_last_run_duration_seconds{schedule="nightly"}`:             90,
		`schedule_last_run_success{schedule="nightly"}`:                      0,
		`schedule_last_success_timestamp_seconds{schedule="nightly"}`:        1.7950000905e+09,
	} {
		if got, ok := valueOf(t, populated(t), name); !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
		}
	}
}

func TestBeforeTheFirstRunNothingIsClaimed(t *testing.T) {
	m := New("v1")
	for _, f := range gathered(t, m) {
		if name := f.GetName(); strings.Contains(name, "_last_run_") || strings.Contains(name, "scanned") || strings.Contains(name, "reload") || strings.HasSuffix(name, "leader") {
			t.Errorf("%s has a value", name)
		}
	}
	if _, ok := valueOf(t, m, "ledger_errors_total"); !ok {
		t.Error("a counter does not begin at zero")
	}
}

func TestTheNextPlanForgetsTheLast(t *testing.T) {
	m := New("v1")
	m.Set(runs.Run{Plan: plan()})
	m.Set(runs.Run{Plan: quiet()})
	for _, v := range []string{"held_steps", "planned_steps", "violations", "images", "estimated_storage_cost_per_month", "use_source_uses"} {
		if n, err := testutil.GatherAndCount(m.registry, "registry_janitor_"+v); n != 0 || err != nil {
			t.Errorf("%s still has %d values: %v", v, n, err)
		}
	}
	expect(t, m, `
		gaps 0
		limits_refused{limit="max_deletions"} 0
		limits_refused{limit="max_deletion_percent"} 0
		limits_refused{limit="anomaly"} 0
		last_run_success 1
	`)
	if got, _ := valueOf(t, m, `applied_steps{action="delete_tag",region="fr-par",result="done"}`); got != 1 {
		t.Errorf("a plan changes what the last application did to %v", got)
	}
	m.Set(runs.Run{Plan: &actions.Plan{TakenAt: start, Outcome: &actions.Outcome{}}})
	if n, _ := testutil.GatherAndCount(m.registry, "registry_janitor_applied_steps"); n != 0 {
		t.Errorf("the next application leaves %d values", n)
	}
}

func TestARunWithoutAPlanFailsAndKeepsWhatIsKnown(t *testing.T) {
	m := New("v1")
	m.Set(runs.Run{Kind: "plan", Trigger: "command", Started: start, Duration: 90 * time.Second, Plan: quiet(), Sources: []runs.UseSource{{Name: "a", Uses: 3, ReadAt: start}}})
	m.Set(runs.Run{Kind: "apply", Trigger: "start", Started: ended, Duration: time.Second, Error: "no credentials"})
	expect(t, m, `
		last_run_success 0
		last_run_timestamp_seconds 1.7950000905e+09
		last_success_timestamp_seconds 1.7950000905e+09
		scanned_tags 1
		use_source_uses{source="a"} 3
		schedule_last_run_success{schedule="command"} 1
		schedule_last_run_success{schedule="start"} 0
		runs_total{kind="apply",result="failed",schedule="start"} 1
		runs_total{kind="plan",result="succeeded",schedule="command"} 1
	`)
	m = New("v1")
	m.Set(runs.Run{Error: "no credentials"})
	if _, ok := valueOf(t, m, "scanned_tags"); ok {
		t.Error("a run without a plan says how many tags there are")
	}
	if _, ok := valueOf(t, m, "last_success_timestamp_seconds"); ok {
		t.Error("there was no success")
	}
}

func TestRunsAreCountedByHowTheyEnd(t *testing.T) {
	incomplete, refused, failed, errored := quiet(), quiet(), quiet(), quiet()
	incomplete.Gaps = []registry.Gap{{Subject: "a"}}
	refused.Refusals = []actions.Refusal{{Limit: "anomaly"}}
	failed.Outcome = &actions.Outcome{Failed: 1}
	for want, run := range map[string][]runs.Run{
		"succeeded":  {{Plan: quiet()}},
		"incomplete": {{Plan: incomplete}, {Plan: failed}},
		"refused":    {{Plan: refused}, {Plan: refused, Error: "a limit refuses the plan"}},
		"failed":     {{Error: "no"}, {Plan: errored, Error: "the ledger is gone"}},
	} {
		for _, r := range run {
			if got := resultOf(&r); got != want {
				t.Errorf("%+v ended as %s, want %s", r, got, want)
			}
			if (want == "succeeded") != r.Succeeded() {
				t.Errorf("%+v succeeded: %v", r, r.Succeeded())
			}
		}
	}
}

func TestThePriceIsTheConfiguredOne(t *testing.T) {
	for _, tt := range []struct {
		price runs.Price
		want  string
	}{
		{runs.Price{PerGB: 0.5, Currency: "USD"}, `estimated_storage_cost_per_month{currency="USD",namespace="prod",region="fr-par"} 5`},
		{runs.Price{Currency: "EUR"}, `estimated_storage_cost_per_month{currency="EUR",namespace="prod",region="fr-par"} 0`},
	} {
		m, p := New("v1"), quiet()
		p.Stats = &actions.Stats{Namespaces: map[string]actions.NamespaceStats{"rg.fr-par.scw.cloud/prod": {Bytes: 10e9}}}
		m.Set(runs.Run{Plan: p, Price: tt.price})
		expect(t, m, tt.want)
	}
}

func TestLabelsAreBounded(t *testing.T) {
	p := quiet()
	p.Stats = &actions.Stats{Namespaces: map[string]actions.NamespaceStats{}}
	var sources []runs.UseSource
	for i := range 1000 {
		p.Violations = append(p.Violations, registry.Violation{Severity: registry.Warn, Reason: registry.Reason{Rule: fmt.Sprintf("rule %04d", i)}})
		p.Stats.Namespaces[fmt.Sprintf("rg.fr-par.scw.cloud/n%04d", i)] = actions.NamespaceStats{Images: 1, Tags: 2, Bytes: 3}
		sources = append(sources, runs.UseSource{Name: fmt.Sprintf("source %04d", i), Uses: 1, Error: "no"})
	}
	m := New("v1")
	for i := range 1000 {
		name := fmt.Sprintf("schedule %04d", i)
		m.SetNext(name, start.Add(time.Duration(1000-i)*time.Second))
		m.Overlapped(name)
		m.Set(runs.Run{Kind: "plan", Trigger: name, Plan: quiet()})
	}
	m.Set(runs.Run{Kind: "plan", Trigger: "schedule 0000", Plan: p, Sources: sources})
	for name, want := range map[string]int{
		"violations": maxRules + 1, "images": maxNamespaces + 1, "estimated_storage_cost_per_month": maxNamespaces + 1,
		"use_source_uses": maxSources + 1, "use_source_errors_total": maxSources + 1,
		"schedule_next_run_timestamp_seconds": maxSchedules + 1, "schedule_last_run_success": maxSchedules + 1,
		"runs_total": maxSchedules + 1, "skipped_runs_total": maxSchedules + 1,
	} {
		if n, err := testutil.GatherAndCount(m.registry, "registry_janitor_"+name); n != want || err != nil {
			t.Errorf("%s has %d values, want %d: %v", name, n, want, err)
		}
	}
	for name, want := range map[string]float64{
		`images{namespace="other",region="fr-par"}`:                   1000 - maxNamespaces,
		`tags{namespace="other",region="fr-par"}`:                     2000 - 2*maxNamespaces,
		`violations{rule="other",severity="warn"}`:                    1000 - maxRules,
		`use_source_uses{source="other"}`:                             1000 - maxSources,
		`skipped_runs_total{schedule="other"}`:                        1000 - maxSchedules,
		`schedule_next_run_timestamp_seconds{schedule="other"}`:       unix(start.Add(time.Second)),
		`use_source_last_read_success{source="other"}`:                0,
		`runs_total{kind="plan",result="succeeded",schedule="other"}`: 1000 - maxSchedules,
	} {
		if got, ok := valueOf(t, m, name); !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// A value keeps its place when others come, so that a series never changes its name
// for another's sake; one that is gone gives it up.
func TestTheBoundKeepsPlaces(t *testing.T) {
	b := bounded{max: 2}
	b.renew([]string{"m", "n"})
	b.renew([]string{"a", "b", "m", "n"})
	if !b.has("m") || !b.has("n") || b.has("a") {
		t.Errorf("places: %v", b.known)
	}
	b.renew([]string{"a", "b", "n"})
	if !b.has("a") || !b.has("n") || b.has("b") || b.label("b") != other {
		t.Errorf("places: %v", b.known)
	}
}

func TestANamespaceNamedOtherAddsUp(t *testing.T) {
	p := quiet()
	p.Stats = &actions.Stats{Namespaces: map[string]actions.NamespaceStats{"rg.fr-par.scw.cloud/other": {Images: 1}}}
	for i := range maxNamespaces {
		p.Stats.Namespaces[fmt.Sprintf("rg.fr-par.scw.cloud/n%04d", i)] = actions.NamespaceStats{Images: 1}
		p.Stats.Namespaces[fmt.Sprintf("rg.fr-par.scw.cloud/z%04d", i)] = actions.NamespaceStats{Images: 1}
	}
	m := New("v1")
	m.Set(runs.Run{Plan: p})
	if got, _ := valueOf(t, m, `images{namespace="other",region="fr-par"}`); got != maxNamespaces+1 {
		t.Errorf("other has %v images", got)
	}
}

func TestTextThatIsNoTextIsNoReasonToFail(t *testing.T) {
	p := plan()
	p.Violations[0].Rule = "bad \xff rule"
	p.Stats.Namespaces["rg.fr-par.scw.cloud/bad\xff"] = actions.NamespaceStats{Images: 1}
	m := New("v\xff")
	m.SetNext("bad \xff schedule", start)
	m.Set(runs.Run{Kind: "plan", Trigger: "bad \xff schedule", Plan: p, Price: runs.Price{PerGB: 1, Currency: "\xff"}, Sources: []runs.UseSource{{Name: "\xff"}}})
	gathered(t, m)
}

func TestNoLabelNamesATagOrADigest(t *testing.T) {
	for _, f := range gathered(t, populated(t)) {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if !slices.Contains([]string{
					"region", "namespace", "action", "guard", "rule", "severity", "result", "schedule", "operation", "code", "source",
					"kind", "limit", "currency", "version", "goversion",
				}, l.GetName()) {
					t.Errorf("%s has the label %s", f.GetName(), l.GetName())
				}
				if v := l.GetValue(); strings.Contains(v, "sha256:") || strings.Contains(v, "scw.cloud") {
					t.Errorf("%s has the label %s=%q", f.GetName(), l.GetName(), v)
				}
			}
		}
	}
}

func TestTheNamesFollowTheConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(populated(t).registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	for _, f := range gathered(t, populated(t)) {
		if !strings.HasPrefix(f.GetName(), "registry_janitor_") {
			t.Errorf("%s has no prefix", f.GetName())
		}
	}
}

func TestTextfile(t *testing.T) {
	m := New("v1.2.3")
	m.Set(runs.Run{Plan: plan()})
	var text strings.Builder
	if err := m.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `version="v1.2.3"} 1`) || strings.Contains(text.String(), "go_goroutines") {
		t.Error(text.String())
	}
}
