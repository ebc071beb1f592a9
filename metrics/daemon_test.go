package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func TestAReloadThatFailsKeepsTheTimeOfTheLastThatDidNot(t *testing.T) {
	m := New("v1")
	m.Reloaded(start, true)
	m.Reloaded(ended, false)
	expect(t, m, `
		config_last_reload_success 0
		config_last_reload_success_timestamp_seconds 1.7950000005e+09
	`)
	m.Reloaded(ended, true)
	expect(t, m, `
		config_last_reload_success 1
		config_last_reload_success_timestamp_seconds 1.7950000905e+09
	`)
}

func TestSchedulesThatAreGoneAreForgotten(t *testing.T) {
	m := New("v1")
	for _, name := range []string{"nightly", "hourly"} {
		m.SetNext(name, ended)
		m.Set(runs.Run{Kind: "plan", Trigger: name, Plan: quiet(), Started: start})
		m.Overlapped(name)
		m.Panicked(name)
	}
	m.Set(runs.Run{Kind: "plan", Trigger: "http", Plan: quiet(), Started: start})
	m.ForgetSchedules([]string{"nightly"})
	for _, f := range gathered(t, m) {
		for _, metric := range f.GetMetric() {
			if strings.Contains(labelsOf(metric), "hourly") {
				t.Errorf("%s%s is still there", f.GetName(), labelsOf(metric))
			}
		}
	}
	for _, series := range []string{
		`runs_total{kind="plan",result="succeeded",schedule="nightly"}`, `runs_total{kind="plan",result="succeeded",schedule="http"}`,
		`schedule_next_run_timestamp_seconds{schedule="nightly"}`, `schedule_last_success_timestamp_seconds{schedule="nightly"}`,
	} {
		if _, ok := valueOf(t, m, series); !ok {
			t.Errorf("%s is forgotten", series)
		}
	}
}

// One that stands by must not go on claiming what it saw when it worked.
func TestAProcessThatStandsByForgetsWhatItSaw(t *testing.T) {
	m := populated(t)
	m.Leads(false)
	expect(t, m, `
		leader 0
		config_last_reload_success 1
		schedule_next_run_timestamp_seconds{schedule="nightly"} 1.7950036005e+09
		runs_total{kind="plan",result="succeeded",schedule="nightly"} 1
		runs_total{kind="apply",result="refused",schedule="nightly"} 1
		archive_restores_total{result="done"} 2
		archive_restores_total{result="failed"} 0
	`)
	for _, f := range gathered(t, m) {
		if name := f.GetName(); strings.Contains(name, "last_run") || strings.Contains(name, "images") || strings.Contains(name, "applied") || strings.Contains(name, "archive_last") || strings.Contains(name, "archive_tags") || strings.Contains(name, "last_success") {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestASourceThatFailsKeepsTheTimeOfItsLastAnswer(t *testing.T) {
	m := New("v1")
	m.Set(runs.Run{Plan: quiet(), Sources: []runs.UseSource{{Name: "a", Uses: 3, ReadAt: start}, {Name: "b", ReadAt: start}}})
	m.Set(runs.Run{Plan: quiet(), Sources: []runs.UseSource{{Name: "a", Error: "refused"}}})
	expect(t, m, `
		use_source_uses{source="a"} 0
		use_source_last_read_success{source="a"} 0
		use_source_last_read_timestamp_seconds{source="a"} 1.7950000005e+09
		use_source_errors_total{source="a"} 1
	`)
}

func TestAnArchiveThatCannotBeReadKeepsTheTimeWhenItCould(t *testing.T) {
	m := New("v1")
	m.SetArchive(runs.Archive{Tags: 12, Oldest: start, NextExpiry: ended}, start)
	m.ArchiveUnread()
	expect(t, m, `
		archive_last_read_success 0
		archive_last_read_timestamp_seconds 1.7950000005e+09
	`)
	for _, series := range []string{"archive_tags", "archive_bytes", "archive_oldest_timestamp_seconds"} {
		if n, there := valueOf(t, m, series); there {
			t.Errorf("%s is %v, as if it were known", series, n)
		}
	}
}

func TestTheHandlerServesTheProcessToo(t *testing.T) {
	m := populated(t)
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	for accept, want := range map[string]string{
		"text/plain": "text/plain; version=0.0.4",
		"application/openmetrics-text;version=1.0.0": "application/openmetrics-text; version=1.0.0",
	} {
		req, err := http.NewRequest(http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), want) {
			t.Errorf("%s: %v %d %s", accept, err, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		for _, name := range []string{"registry_janitor_scanned_tags 40", "go_goroutines", "process_start_time_seconds"} {
			if !strings.Contains(string(body), name) {
				t.Errorf("%s: no %s", accept, name)
			}
		}
	}
}

func TestAScrapeSeesOneRunOrTheNextAndNeverHalf(t *testing.T) {
	one, two := quiet(), quiet()
	one.Summary.Tags, one.Summary.Images = 1, 1
	two.Summary.Tags, two.Summary.Images = 2, 2
	m := New("v1")
	m.Set(runs.Run{Plan: one})
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 300 {
			if i%2 == 0 {
				m.Set(runs.Run{Plan: two, Duration: time.Second})
			} else {
				m.Set(runs.Run{Plan: one})
			}
		}
	})
	for range 100 {
		values := map[string]float64{}
		for _, f := range gathered(t, m) {
			if f.GetMetric()[0].Gauge != nil {
				values[f.GetName()] = f.GetMetric()[0].Gauge.GetValue()
			}
		}
		if values["registry_janitor_scanned_tags"] != values["registry_janitor_scanned_images"] {
			t.Errorf("half a run: %v", values)
		}
	}
	group.Wait()
}

func TestARunThatOutlivesItsScheduleBringsNothingBack(t *testing.T) {
	m := New("v1")
	m.ForgetSchedules([]string{"new"})
	m.Set(runs.Run{Plan: quiet(), Kind: "plan", Trigger: "old", Error: "refused"})
	m.SetNext("old", start)
	m.SetNext("new", start)
	for _, f := range gathered(t, m) {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == "schedule" && l.GetValue() == "old" {
					t.Errorf("%s has the old schedule", f.GetName())
				}
			}
		}
	}
	if _, ok := valueOf(t, m, `schedule_next_run_timestamp_seconds{schedule="new"}`); !ok {
		t.Error("the new schedule has no next run")
	}
}
