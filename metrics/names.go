package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "registry_janitor"

// state is a gauge that is set as a whole.
type state struct {
	desc *prometheus.Desc
}

func newState(name, help string, labels ...string) state {
	return state{prometheus.NewDesc(prometheus.BuildFQName(prefix, "", name), help, labels, nil)}
}

// is one value of the gauge.
func (s state) is(value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, value, labels...)
}

// states are all gauges that say how something stands.
type states struct {
	// of the last run
	lastRun, lastRunSuccess, lastRunDuration, lastRunEvaluation, lastRunRequests, lastSuccess state
	// of the last plan
	scannedNamespaces, scannedImages, scannedTags, scannedBytes              state
	images, publicImages, tags, bytes, publicBytes, cost                     state
	condemnedTags, condemnedImages, planned, held, violations, gaps, refused state
	// of the last application
	applied, lost state
	// of the sources of uses
	sourceUses, sourceRead, sourceSuccess state
	// of the daemon
	scheduleNext, scheduleLast, scheduleDuration, scheduleSuccess, scheduleLastSuccess state
	reloadSuccess, reloadTime, leader                                                  state
}

func newStates() states {
	return states{
		lastRun:           newState("last_run_timestamp_seconds", "When the last run began, in Unix time."),
		lastRunSuccess:    newState("last_run_success", "Whether the last run was complete: 1 without an error, gaps, policy errors, refusals, failed and skipped steps, else 0."),
		lastRunDuration:   newState("last_run_duration_seconds", "How long the last run took; 0 if nobody measured it."),
		lastRunEvaluation: newState("last_run_policy_evaluation_seconds", "Time that policies took in the last run, summed over all that judge at once."),
		lastRunRequests:   newState("last_run_api_requests", "API requests of the last run; 0 if nobody counted them."),
		lastSuccess:       newState("last_success_timestamp_seconds", "When the last complete run ended, in Unix time."),

		scannedNamespaces: newState("scanned_namespaces", "Namespaces that the last plan judged."),
		scannedImages:     newState("scanned_images", "Images that the last plan judged."),
		scannedTags:       newState("scanned_tags", "Tags that the last plan judged."),
		scannedBytes:      newState("scanned_image_bytes", "Size of the images that the last plan judged, as the API counts it."),
		images:            newState("images", "Images that the last plan judged, by namespace.", "region", "namespace"),
		publicImages:      newState("public_images", "Images that the last plan judged and that everybody may pull, by namespace.", "region", "namespace"),
		tags:              newState("tags", "Tags that the last plan judged, by namespace.", "region", "namespace"),
		bytes:             newState("image_bytes", "Size of the images that the last plan judged, by namespace, as the API counts it.", "region", "namespace"),
		publicBytes:       newState("public_image_bytes", "Size of the images that the last plan judged and that everybody may pull, by namespace.", "region", "namespace"),
		cost:              newState("estimated_storage_cost_per_month", "What the private images of the last plan cost for a month at the configured price.", "region", "namespace", "currency"),
		condemnedTags:     newState("condemned_tags", "Tags that rules of the last plan condemn, whether they go or are held.", "region", "namespace"),
		condemnedImages:   newState("condemned_images", "Images that rules of the last plan condemn, whether they go or are held.", "region", "namespace"),
		planned:           newState("planned_steps", "Steps of the last plan.", "region", "action"),
		held:              newState("held_steps", "What rules of the last plan ask for and a guard refuses.", "region", "action", "guard"),
		violations:        newState("violations", "Violations in the last plan.", "severity", "rule"),
		gaps:              newState("gaps", "Things that the last plan could not read or judge."),
		refused:           newState("limits_refused", "Whether a limit refuses the last plan: 1, else 0.", "limit"),

		applied: newState("applied_steps", "What became of the steps of the last plan that was applied.", "region", "action", "result"),
		lost:    newState("lost_tags", "Tags that the last application left alone and that were not there any more when it looked again."),

		sourceUses:    newState("use_source_uses", "Uses that the source named when it was asked last.", "source"),
		sourceRead:    newState("use_source_last_read_timestamp_seconds", "When the source answered last, in Unix time.", "source"),
		sourceSuccess: newState("use_source_last_read_success", "Whether the source answered when it was asked last: 1, else 0.", "source"),

		scheduleNext:        newState("schedule_next_run_timestamp_seconds", "When the schedule is due next, without its jitter, in Unix time.", "schedule"),
		scheduleLast:        newState("schedule_last_run_timestamp_seconds", "When the last run of the schedule began, in Unix time.", "schedule"),
		scheduleDuration:    newState("schedule_last_run_duration_seconds", "How long the last run of the schedule took.", "schedule"),
		scheduleSuccess:     newState("schedule_last_run_success", "Whether the last run of the schedule was complete: 1, else 0.", "schedule"),
		scheduleLastSuccess: newState("schedule_last_success_timestamp_seconds", "When the last complete run of the schedule ended, in Unix time.", "schedule"),
		reloadSuccess:       newState("config_last_reload_success", "Whether the configuration could be loaded the last time: 1, else 0."),
		reloadTime:          newState("config_last_reload_success_timestamp_seconds", "When the configuration was loaded last, in Unix time."),
		leader:              newState("leader", "Whether this process works: 1, or stands by: 0."),
	}
}

func (s *states) all() []state {
	return []state{
		s.lastRun, s.lastRunSuccess, s.lastRunDuration, s.lastRunEvaluation, s.lastRunRequests, s.lastSuccess,
		s.scannedNamespaces, s.scannedImages, s.scannedTags, s.scannedBytes,
		s.images, s.publicImages, s.tags, s.bytes, s.publicBytes, s.cost,
		s.condemnedTags, s.condemnedImages, s.planned, s.held, s.violations, s.gaps, s.refused,
		s.applied, s.lost, s.sourceUses, s.sourceRead, s.sourceSuccess,
		s.scheduleNext, s.scheduleLast, s.scheduleDuration, s.scheduleSuccess, s.scheduleLastSuccess,
		s.reloadSuccess, s.reloadTime, s.leader,
	}
}

// counters are what adds up from run to run.
type counters struct {
	runs, steps, sourceErrors, skipped, panics, notifications *prometheus.CounterVec
	requests, retries                                         *prometheus.CounterVec
	evaluation, ledgerErrors, waits, waited                   prometheus.Counter
	latency                                                   *prometheus.HistogramVec
}

func newCounters() counters {
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help}, labels)
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help})
	}
	c := counters{
		runs:          vector("runs_total", "Finished runs, by what started them and how they ended.", "kind", "schedule", "result"),
		steps:         vector("steps_total", "Steps of plans that were applied, by what became of them.", "action", "result"),
		sourceErrors:  vector("use_source_errors_total", "Runs in which the source could not be asked.", "source"),
		skipped:       vector("skipped_runs_total", "Runs that were due while another one was going on, and were skipped.", "schedule"),
		panics:        vector("run_panics_total", "Runs that ended in a panic.", "schedule"),
		notifications: vector("notifications_total", "Notifications, by whether they were sent.", "result"),
		requests:      vector("api_requests_total", "Requests to the API, by what they ask for and the status of the answer; error where there was none.", "operation", "code"),
		retries:       vector("api_retries_total", "Requests that were tried again, by the status of the try before; error where there was none.", "operation", "code"),
		evaluation:    counter("policy_evaluation_seconds_total", "Time that policies took, summed over all that judge at once."),
		ledgerErrors:  counter("ledger_errors_total", "Attempts to read or write the ledger that failed."),
		waits:         counter("api_rate_limit_waits_total", "Requests that were held back by the rate limit of the API."),
		waited:        counter("api_rate_limit_wait_seconds_total", "Time that requests were held back by the rate limit of the API, summed over all of them."),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: prefix,
			Name:      "api_request_duration_seconds",
			Help:      "Time from sending a request to the beginning of its answer.",
			Buckets:   []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
	}
	for _, result := range []string{notified, notNotified} {
		c.notifications.WithLabelValues(result)
	}
	return c
}

func (c *counters) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		c.runs, c.steps, c.sourceErrors, c.skipped, c.panics, c.notifications,
		c.requests, c.retries, c.evaluation, c.ledgerErrors, c.waits, c.waited, c.latency,
	}
}
