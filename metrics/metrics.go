// Package metrics says in Prometheus' terms what a finished run found and did.
//
// Every value is set from one finished run, in a registry of its own. It must
// never carry a tag or a digest in a label, judge anything, or reach the network.
// It is the only importer of client_golang.
package metrics

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/report"
)

// maxRules bounds how many rules have a label of their own; the others share
// otherRules.
const (
	maxRules   = 100
	otherRules = "other"
)

// Metrics are those of the last run. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	lastRun, success, duration prometheus.Gauge
	namespaces, images, tags   prometheus.Gauge
	bytes, gaps                prometheus.Gauge
	steps, held, violations    *prometheus.GaugeVec
	refused, results           *prometheus.GaugeVec
}

// New makes the metrics of a program of this version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.lastRun = m.gauge("last_run_timestamp_seconds", "When the scan of the last run started, in Unix time.")
	m.success = m.gauge("last_run_success", "Whether the last run was complete: 1 without gaps, policy errors, refusals, failed and skipped steps, else 0.")
	m.duration = m.gauge("last_run_duration_seconds", "How long the last run took; 0 if nobody measured it.")
	m.namespaces = m.gauge("scanned_namespaces", "Namespaces that the last run judged.")
	m.images = m.gauge("scanned_images", "Images that the last run judged.")
	m.tags = m.gauge("scanned_tags", "Tags that the last run judged.")
	m.bytes = m.gauge("scanned_image_bytes", "Size of the images that the last run judged, as the API counts it.")
	m.gaps = m.gauge("gaps", "Things that the last run could not read or judge.")
	m.steps = m.vector("planned_steps", "Steps of the last plan.", "region", "action")
	m.held = m.vector("held_steps", "What rules asked for in the last run and a guard refused.", "region", "action", "guard")
	m.violations = m.vector("violations", "Violations that the last run found.", "severity", "rule")
	m.refused = m.vector("limits_refused", "Limits that refused the last plan: 1 for each.", "limit")
	m.results = m.vector("applied_steps", "What became of the steps of the last plan, if it was applied.", "region", "action", "result")
	build := m.vector("build_info", "The version of the program; always 1.", "version")
	build.WithLabelValues(version).Set(1)
	return m
}

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "registry_janitor", Name: name, Help: help})
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) vector(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "registry_janitor", Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

// Set takes the values of a finished run, and forgets those of the run before.
func (m *Metrics) Set(run report.Run) {
	p := run.Plan
	m.lastRun.Set(float64(p.TakenAt.UnixNano()) / float64(time.Second))
	m.success.Set(number(!p.Incomplete() && !p.Refused() && (p.Outcome == nil || !p.Outcome.Incomplete())))
	m.duration.Set(run.Duration.Seconds())
	m.namespaces.Set(float64(p.Summary.Namespaces))
	m.images.Set(float64(p.Summary.Images))
	m.tags.Set(float64(p.Summary.Tags))
	m.gaps.Set(float64(p.Summary.Gaps))
	if p.Stats != nil {
		m.bytes.Set(float64(p.Stats.Bytes))
	}
	for _, v := range []*prometheus.GaugeVec{m.steps, m.held, m.violations, m.refused, m.results} {
		v.Reset()
	}
	m.setSteps(run)
	m.setViolations(run)
	for _, r := range p.Refusals {
		m.refused.WithLabelValues(r.Limit).Set(1)
	}
}

func (m *Metrics) setSteps(run report.Run) {
	p := run.Plan
	for i := range p.Steps {
		m.steps.WithLabelValues(string(p.Steps[i].Region), string(p.Steps[i].Action)).Inc()
	}
	for i := range p.Held {
		h := &p.Held[i]
		m.held.WithLabelValues(regionOf(h.Ref), string(h.Action), string(h.Guard)).Inc()
	}
	if p.Outcome == nil {
		return
	}
	for i := range p.Outcome.Results {
		r := &p.Outcome.Results[i]
		m.results.WithLabelValues(regionOf(r.Ref), string(r.Action), string(r.Result)).Inc()
	}
}

func (m *Metrics) setViolations(run report.Run) {
	rules := map[string]bool{}
	for _, v := range run.Plan.Violations {
		rule := v.Rule
		if !rules[rule] && len(rules) >= maxRules {
			rule = otherRules
		}
		rules[rule] = true
		m.violations.WithLabelValues(string(v.Severity), rule).Inc()
	}
}

// regionOf is the region in a reference, which a plan always writes in full:
// rg.<region>.scw.cloud/…
func regionOf(ref string) string {
	host, _, _ := strings.Cut(ref, "/")
	return strings.TrimSuffix(strings.TrimPrefix(host, "rg."), ".scw.cloud")
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// WriteTextfile writes the metrics for the textfile collector of node_exporter,
// replacing the file in one step.
func (m *Metrics) WriteTextfile(path string) error {
	if err := prometheus.WriteToTextfile(path, m.registry); err != nil {
		return fmt.Errorf("writing the metrics to %s: %w", path, err)
	}
	return nil
}

// Gatherer gives the metrics to whoever exposes them.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }
