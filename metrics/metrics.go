package metrics

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/actions"
)

// The numbers of values that labels may have whose values come from users.
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
	states   states

	mu sync.Mutex // guards the rest
	// What is exposed of the last run, of the last plan and of the last application:
	// replaced as a whole, never changed.
	run, plan, applied, sources []prometheus.Metric

	namespaces, rules bounded
	sourceNames       bounded
	configured        []string // schedules; nil until somebody says which there are
	scheduleNames     bounded
	lastSuccess       time.Time // when the last successful run ended
	lastRead          map[string]time.Time
	schedules         map[string]schedule
	reload            reload
	leads             standing
	command           string // of the last run
}

// New makes the metrics of a program of this version.
func New(version string) *Metrics {
	m := &Metrics{
		registry:      prometheus.NewRegistry(),
		counters:      newCounters(),
		states:        newStates(),
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
		ConstLabels: prometheus.Labels{"version": clean(version), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build, (*stateCollector)(m))
	m.registry.MustRegister(m.counters.collectors()...)
	for _, action := range actionNames() {
		for _, result := range resultNames() {
			m.counters.steps.WithLabelValues(action, result)
		}
	}
	return m
}

// Gatherer gives the metrics to whoever exposes them.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// stateCollector exposes what is known at the moment of a scrape.
type stateCollector Metrics

func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, s := range c.states.all() {
		out <- s.desc
	}
}

func (c *stateCollector) Collect(out chan<- prometheus.Metric) {
	m := (*Metrics)(c)
	m.mu.Lock()
	known := [][]prometheus.Metric{m.run, m.plan, m.applied, m.sources, m.daemon()}
	m.mu.Unlock()
	for _, some := range known {
		for _, metric := range some {
			out <- metric
		}
	}
}

func actionNames() []string {
	return []string{
		string(actions.DeleteTag), string(actions.DeleteImage), string(actions.DeleteNamespace),
		string(actions.SetImageVisibility), string(actions.SetNamespaceVisibility),
	}
}

func resultNames() []string {
	return []string{
		string(actions.ResultDone), string(actions.ResultGone), string(actions.ResultChanged),
		string(actions.ResultBlocked), string(actions.ResultFailed), string(actions.ResultSkipped),
	}
}

func limitNames() []string { return []string{"max_deletions", "max_deletion_percent", "anomaly"} }
