package metrics

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/actions"
)

// The number of values that each label with values from users may have.
const (
	maxNamespaces = 200
	maxRules      = 100
	maxSources    = 50
	maxSchedules  = 50
)

// Metrics are those of one program. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	counters counters

	mu sync.Mutex // guards the rest
	// The values of the last run, of the last plan, of the last run that applied, and of
	// its use sources: replaced together, never changed.
	run, plan, applied, sources values
	archive                     archive

	namespaces, rules bounded
	sourceNames       bounded
	configured        []string // schedules; nil until they are known
	scheduleNames     bounded
	lastSuccess       time.Time // when the last successful run ended
	lastRead          map[string]time.Time
	schedules         map[string]schedule
	reload            reload
	leads             *bool  // nil until it is known
	command           string // of the last run
}

// New creates the metrics of a program of this version.
func New(version string) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		registry:      registry,
		counters:      newCounters(registry),
		namespaces:    bounded{max: maxNamespaces},
		rules:         bounded{max: maxRules},
		sourceNames:   bounded{max: maxSources},
		scheduleNames: bounded{max: maxSchedules},
		lastRead:      map[string]time.Time{},
		schedules:     map[string]schedule{},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace:   prefix,
		Name:        "build_info",
		Help:        "The version of the program and of Go; always 1.",
		ConstLabels: prometheus.Labels{"version": validUTF8(version), "goversion": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(build, (*stateCollector)(m))
	for _, action := range actionNames() {
		for _, result := range resultNames() {
			m.counters.steps.WithLabelValues(action, result)
		}
	}
	return m
}

// stateCollector exposes the gauges, and what the ledger counts, as they are when a scrape
// happens.
type stateCollector Metrics

func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	for name := range gauges() {
		newGauge(name).Describe(out)
	}
	out <- restores()
}

func (c *stateCollector) Collect(out chan<- prometheus.Metric) {
	m := (*Metrics)(c)
	m.mu.Lock()
	known := []values{m.run, m.plan, m.applied, m.sources, m.archive.held, m.archive.purged, m.daemon()}
	restored := m.archive.restores
	m.mu.Unlock()
	for _, some := range known {
		for _, gauge := range some {
			gauge.Collect(out)
		}
	}
	collectRestores(restored, out)
}

// The values of labels that are exposed from the start, as zeros.
func actionNames() []string {
	return []string{
		string(actions.DeleteTag), string(actions.DeleteImage), string(actions.DeleteNamespace),
		string(actions.SetImageVisibility), string(actions.SetNamespaceVisibility),
	}
}

func resultNames() []string {
	var names []string
	for _, result := range actions.Results() {
		names = append(names, string(result))
	}
	return names
}

func limitNames() []string { return []string{"max_deletions", "max_deletion_percent", "anomaly"} }
