package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

func gathered(t *testing.T, m *Metrics) []*dto.MetricFamily {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// valueOf finds one value by its series as the text format writes it, without the
// prefix, the labels in order of their names.
func valueOf(t *testing.T, m *Metrics, series string) (float64, bool) {
	t.Helper()
	for _, f := range gathered(t, m) {
		for _, metric := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "registry_janitor_")
			switch labels := labelsOf(metric); {
			case name+labels == series && metric.Gauge != nil:
				return metric.Gauge.GetValue(), true
			case name+labels == series && metric.Counter != nil:
				return metric.Counter.GetValue(), true
			case name+"_count"+labels == series && metric.Histogram != nil:
				return float64(metric.Histogram.GetSampleCount()), true
			}
		}
	}
	return 0, false
}

func labelsOf(metric *dto.Metric) string {
	var pairs []string
	for _, l := range metric.GetLabel() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	if len(pairs) == 0 {
		return ""
	}
	sort.Strings(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}

// roundTrip answers by itself, without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// request sends one request through the transport.
func request(t *testing.T, m *Metrics, method, path string, status int) {
	t.Helper()
	transport := m.Transport(roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: http.NoBody}, nil
	}))
	resp, err := transport.RoundTrip(httptest.NewRequest(method, "https://api.example.com"+path, nil))
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%v %v", resp, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
}
