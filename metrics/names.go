package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const prefix = "registry_janitor"

// state is a gauge whose values are set together.
type state struct {
	desc *prometheus.Desc
}

// is one value of the gauge.
func (s state) is(value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, value, labels...)
}

// states are all gauges.
type states struct {
	all []state

	// of the last run
	lastRun, lastRunSuccess, lastRunDuration, lastRunEvaluation, lastRunRequests, lastSuccess state
	// of the last plan
	scannedNamespaces, scannedImages, scannedTags, scannedBytes              state
	images, publicImages, tags, bytes, publicBytes, cost                     state
	condemnedTags, condemnedImages, planned, held, violations, gaps, refused state
	// of the last run that applied
	applied, lost state
	// of the use sources
	sourceUses, sourceRead, sourceSuccess state
	// of the daemon
	scheduleNext, scheduleLast, scheduleDuration, scheduleSuccess, scheduleLastSuccess state
	reloadSuccess, reloadTime, leader                                                  state
}

func newStates() states {
	var s states
	gauge := func(name, help string, labels ...string) state {
		g := state{prometheus.NewDesc(prometheus.BuildFQName(prefix, "", name), help, labels, nil)}
		s.all = append(s.all, g)
		return g
	}
	s.lastRun = gauge("last_run_timestamp_seconds", "When the last run started, in Unix time.")
	s.lastRunSuccess = gauge("last_run_success", "1 if the last run had no error, gap, policy error, refusal, failed or skipped step, else 0.")
	s.lastRunDuration = gauge("last_run_duration_seconds", "How long the last run took; 0 if it was not measured.")
	s.lastRunEvaluation = gauge("last_run_policy_evaluation_seconds", "Time that policies took in the last run, summed over concurrent evaluations.")
	s.lastRunRequests = gauge("last_run_api_requests", "API requests of the last run; 0 if they were not counted.")
	s.lastSuccess = gauge("last_success_timestamp_seconds", "When the last complete run ended, in Unix time.")

	s.scannedNamespaces = gauge("scanned_namespaces", "Namespaces that the last plan judged.")
	s.scannedImages = gauge("scanned_images", "Images that the last plan judged.")
	s.scannedTags = gauge("scanned_tags", "Tags that the last plan judged.")
	s.scannedBytes = gauge("scanned_image_bytes", "Size of the images that the last plan judged, as the API reports it.")
	s.images = gauge("images", "Images that the last plan judged, by namespace.", "region", "namespace")
	s.publicImages = gauge("public_images", "Public images that the last plan judged, by namespace.", "region", "namespace")
	s.tags = gauge("tags", "Tags that the last plan judged, by namespace.", "region", "namespace")
	s.bytes = gauge("image_bytes", "Size of the images that the last plan judged, by namespace, as the API reports it.", "region", "namespace")
	s.publicBytes = gauge("public_image_bytes", "Size of the public images that the last plan judged, by namespace.", "region", "namespace")
	s.cost = gauge("estimated_storage_cost_per_month", "Monthly cost of the private images of the last plan at the configured price.", "region", "namespace", "currency")
	s.condemnedTags = gauge("condemned_tags", "Tags that rules of the last plan marked for deletion, deleted or held.", "region", "namespace")
	s.condemnedImages = gauge("condemned_images", "Images that rules of the last plan marked for deletion, deleted or held.", "region", "namespace")
	s.planned = gauge("planned_steps", "Steps of the last plan.", "region", "action")
	s.held = gauge("held_steps", "Deletions and changes of the last plan that a guard held.", "region", "action", "guard")
	s.violations = gauge("violations", "Violations in the last plan.", "severity", "rule")
	s.gaps = gauge("gaps", "Things that the last plan could not read or judge.")
	s.refused = gauge("limits_refused", "1 if the limit refuses the last plan, else 0.", "limit")

	s.applied = gauge("applied_steps", "Steps of the last plan that was applied, by result.", "region", "action", "result")
	s.lost = gauge("lost_tags", "Kept tags that were gone when the last run that applied checked them again.")

	s.sourceUses = gauge("use_source_uses", "Uses that the source reported when it was last read.", "source")
	s.sourceRead = gauge("use_source_last_read_timestamp_seconds", "When the source last answered, in Unix time.", "source")
	s.sourceSuccess = gauge("use_source_last_read_success", "1 if the source answered when it was last read, else 0.", "source")

	s.scheduleNext = gauge("schedule_next_run_timestamp_seconds", "When the schedule is next due, without its jitter, in Unix time.", "schedule")
	s.scheduleLast = gauge("schedule_last_run_timestamp_seconds", "When the last run of the schedule started, in Unix time.", "schedule")
	s.scheduleDuration = gauge("schedule_last_run_duration_seconds", "How long the last run of the schedule took.", "schedule")
	s.scheduleSuccess = gauge("schedule_last_run_success", "1 if the last run of the schedule was complete, else 0.", "schedule")
	s.scheduleLastSuccess = gauge("schedule_last_success_timestamp_seconds", "When the last complete run of the schedule ended, in Unix time.", "schedule")
	s.reloadSuccess = gauge("config_last_reload_success", "1 if the configuration could be loaded the last time, else 0.")
	s.reloadTime = gauge("config_last_reload_success_timestamp_seconds", "When the configuration was last loaded, in Unix time.")
	s.leader = gauge("leader", "1 if this process is active, 0 if it stands by.")
	return s
}

// counters add up over all runs.
type counters struct {
	runs, steps, sourceErrors, skipped, panics, notifications *prometheus.CounterVec
	requests, retries                                         *prometheus.CounterVec
	evaluation, ledgerErrors, waits, waited                   prometheus.Counter
	latency                                                   *prometheus.HistogramVec
}

func newCounters(registry *prometheus.Registry) counters {
	auto := promauto.With(registry)
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help}, labels)
	}
	counter := func(name, help string) prometheus.Counter {
		return auto.NewCounter(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help})
	}
	c := counters{
		runs:          vector("runs_total", "Finished runs, by trigger and result.", "kind", "schedule", "result"),
		steps:         vector("steps_total", "Steps of plans that were applied, by result.", "action", "result"),
		sourceErrors:  vector("use_source_errors_total", "Runs in which the source could not be read.", "source"),
		skipped:       vector("skipped_runs_total", "Runs that were skipped because another run was active when they were due.", "schedule"),
		panics:        vector("run_panics_total", "Runs that ended in a panic.", "schedule"),
		notifications: vector("notifications_total", "Notifications, by result.", "result"),
		requests:      vector("api_requests_total", "Requests to the API, by operation and status code; the code is error if there was no answer.", "operation", "code"),
		retries:       vector("api_retries_total", "Requests that were sent again, by operation and the status code of the attempt before; the code is error if there was no answer.", "operation", "code"),
		evaluation:    counter("policy_evaluation_seconds_total", "Time that policies took, summed over concurrent evaluations."),
		ledgerErrors:  counter("ledger_errors_total", "Attempts to read or write the ledger that failed."),
		waits:         counter("api_rate_limit_waits_total", "Requests that waited for the rate limit of the API."),
		waited:        counter("api_rate_limit_wait_seconds_total", "Time that requests waited for the rate limit of the API, summed over all of them."),
		latency: auto.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: prefix,
			Name:      "api_request_duration_seconds",
			Help:      "Time from sending a request to the start of its answer.",
			Buckets:   []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
	}
	for _, result := range []string{notified, notNotified} {
		c.notifications.WithLabelValues(result)
	}
	return c
}
