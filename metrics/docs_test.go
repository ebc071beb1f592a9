package metrics

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var documented = regexp.MustCompile("(?m)^\\| `(registry_janitor_[a-z_]+)` \\| (gauge|counter|histogram) \\| ([^|]*)\\| ([^|]+) \\|$")

// The table in docs/metrics.md has every metric with its type and its labels, and
// no other.
func TestTheDocumentedMetricsAreTheExportedOnes(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := documented.FindAllStringSubmatch(string(text), -1)
	if n := strings.Count(string(text), "\n| `registry_janitor_"); n != len(rows) || n == 0 {
		t.Errorf("%d of %d rows can be read", len(rows), n)
	}
	inDocs, exported := map[string]string{}, map[string]string{}
	for _, row := range rows {
		var labels []string
		for _, l := range strings.Split(row[3], ",") {
			if l = strings.Trim(strings.TrimSpace(l), "`"); l != "" {
				labels = append(labels, l)
			}
		}
		inDocs[row[1]] = fmt.Sprint(row[2], " by ", labels)
	}
	for _, f := range gathered(t, populated(t)) {
		labels := map[string]bool{}
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		exported[f.GetName()] = fmt.Sprint(strings.ToLower(f.GetType().String()), " by ", inOrder(labels, inDocs[f.GetName()]))
	}
	if diff := cmp.Diff(inDocs, exported); diff != "" {
		t.Errorf("metrics (-documented +exported):\n%s", diff)
	}
}

// inOrder lists labels as the documentation does, where it has the same ones.
func inOrder(labels map[string]bool, doc string) []string {
	names := slices.Sorted(maps.Keys(labels))
	_, list, _ := strings.Cut(doc, " by ")
	given := strings.Fields(strings.Trim(list, "[]"))
	sorted := slices.Sorted(slices.Values(given))
	if slices.Equal(sorted, names) {
		return given
	}
	return names
}

// Nothing is declared that no run can set.
func TestEveryDeclaredMetricIsExported(t *testing.T) {
	m := populated(t)
	names := map[string]bool{}
	for _, f := range gathered(t, m) {
		names[f.GetName()] = true
	}
	for name := range gauges() {
		if !names[prefix+"_"+name] {
			t.Errorf("%s has no value in a full set", name)
		}
	}
}

var watched = regexp.MustCompile(`increase\(registry_janitor_([a-z_]+(?:\{[^}]*\})?)\[`)

// Prometheus sees no increase in a series that begins with the first failure.
func TestWhatAnAlertWatchesForAnIncreaseIsThereFromTheStart(t *testing.T) {
	text, err := os.ReadFile("../examples/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := New("v1")
	m.SetNext("nightly", ended)
	m.SetRestores(nil) // as the ledger has them
	for _, selector := range watched.FindAllStringSubmatch(string(text), -1) {
		name := strings.ReplaceAll(selector[1], "run_panics_total", `run_panics_total{schedule="nightly"}`)
		if n, there := valueOf(t, m, name); !there || n != 0 {
			t.Errorf("%s: %v, there: %t", name, n, there)
		}
	}
}
