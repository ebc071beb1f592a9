package metrics

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

const prefix = "registry_janitor"

// description is what a gauge shows, and its labels.
type description struct {
	help   string
	labels []string
}

// gauges describes all of them, by name.
func gauges() map[string]description {
	all := ofRun()
	for _, more := range []map[string]description{ofPlan(), ofArchive(), ofDaemon()} {
		maps.Copy(all, more)
	}
	return all
}

// gauge is a description with its labels.
func gauge(help string, labels ...string) description { return description{help, labels} }

// ofRun describes the gauges of the last run.
func ofRun() map[string]description {
	return map[string]description{
		"last_run_timestamp_seconds":         gauge("When the last run started, in Unix time."),
		"last_run_success":                   gauge("1 if the last run had no error, gap, policy error, refusal, failed or skipped step, else 0."),
		"last_run_duration_seconds":          gauge("How long the last run took; 0 if it was not measured."),
		"last_run_policy_evaluation_seconds": gauge("Time that policies took in the last run, summed over concurrent evaluations."),
		"last_run_api_requests":              gauge("API requests of the last run; 0 if they were not counted."),
		"last_success_timestamp_seconds":     gauge("When the last complete run ended, in Unix time."),

		// of the last run that applied
		"applied_steps": gauge("Steps of the last plan that was applied, by result.", "region", "action", "result"),
		"lost_tags":     gauge("Kept tags that were gone when the last run that applied checked them again."),

		// of the use sources
		"use_source_uses":                        gauge("Uses that the source reported when it was last read.", "source"),
		"use_source_last_read_timestamp_seconds": gauge("When the source last answered, in Unix time.", "source"),
		"use_source_last_read_success":           gauge("1 if the source answered when it was last read, else 0.", "source"),
	}
}

// ofPlan describes the gauges of the last plan.
func ofPlan() map[string]description {
	return map[string]description{
		"scanned_namespaces":               gauge("Namespaces that the last plan judged."),
		"scanned_images":                   gauge("Images that the last plan judged."),
		"images_from_cache":                gauge("Images of the last plan whose tags an earlier run had listed."),
		"scanned_tags":                     gauge("Tags that the last plan judged."),
		"scanned_image_bytes":              gauge("Size of the images that the last plan judged, as the API reports it."),
		"images":                           gauge("Images that the last plan judged, by namespace.", "region", "namespace"),
		"public_images":                    gauge("Public images that the last plan judged, by namespace.", "region", "namespace"),
		"tags":                             gauge("Tags that the last plan judged, by namespace.", "region", "namespace"),
		"image_bytes":                      gauge("Size of the images that the last plan judged, by namespace, as the API reports it.", "region", "namespace"),
		"public_image_bytes":               gauge("Size of the public images that the last plan judged, by namespace.", "region", "namespace"),
		"estimated_storage_cost_per_month": gauge("Monthly cost of the private images of the last plan at the configured price.", "region", "namespace", "currency"),
		"freed_bytes":                      gauge("Bytes that the deletions of the last plan free, as far as that is known.", "region", "namespace"),
		"freed_bytes_by_rule":              gauge("Bytes that the tags free which a rule of the last plan marks, as far as that is known.", "rule"),
		"freed_unknown_tags":               gauge("Tags that the last plan deletes, and of which it is not known what they free."),
		"estimated_savings_per_month":      gauge("Monthly cost of what the deletions of the last plan free, at the configured price.", "region", "namespace", "currency"),
		"condemned_tags":                   gauge("Tags that rules of the last plan marked for deletion, deleted or held.", "region", "namespace"),
		"condemned_images":                 gauge("Images that rules of the last plan marked for deletion, deleted or held.", "region", "namespace"),
		"planned_steps":                    gauge("Steps of the last plan.", "region", "action"),
		"held_steps":                       gauge("Deletions and changes of the last plan that a guard held.", "region", "action", "guard"),
		"violations":                       gauge("Violations in the last plan.", "severity", "rule"),
		"waivers":                          gauge("Waivers in force at the time of the last run."),
		"waivers_expiring":                 gauge("Waivers in force that end within 14 days of the last run."),
		"gaps":                             gauge("Things that the last plan could not read or judge."),
		"limits_refused":                   gauge("1 if the limit refuses the last plan, else 0.", "limit"),
	}
}

// ofArchive describes the gauges of the archive.
func ofArchive() map[string]description {
	return map[string]description{
		"archive_last_read_success":             gauge("1 if the archive could be read the last time, else 0."),
		"archive_last_read_timestamp_seconds":   gauge("When the archive was last read, in Unix time."),
		"archive_tags":                          gauge("Tags in the archive that can be restored."),
		"archive_restored_tags":                 gauge("Tags in the archive that were restored."),
		"archive_blobs":                         gauge("Objects in the archive; 0 for a registry, which does not list them."),
		"archive_bytes":                         gauge("Size of the objects in the archive; 0 for a registry."),
		"archive_oldest_timestamp_seconds":      gauge("When the oldest copy in the archive was made, in Unix time."),
		"archive_next_expiry_timestamp_seconds": gauge("When the next copy in the archive may be purged, in Unix time."),
		"archive_last_purge_success":            gauge("1 if the archive could be purged the last time, else 0."),
		"archive_last_purge_timestamp_seconds":  gauge("When the archive was purged last, or that was tried, in Unix time."),
	}
}

// ofDaemon describes the gauges of the daemon.
func ofDaemon() map[string]description {
	return map[string]description{
		"schedule_next_run_timestamp_seconds":          gauge("When the schedule is next due, without its jitter, in Unix time.", "schedule"),
		"schedule_last_run_timestamp_seconds":          gauge("When the last run of the schedule started, in Unix time.", "schedule"),
		"schedule_last_run_duration_seconds":           gauge("How long the last run of the schedule took.", "schedule"),
		"schedule_last_run_success":                    gauge("1 if the last run of the schedule was complete, else 0.", "schedule"),
		"schedule_last_success_timestamp_seconds":      gauge("When the last complete run of the schedule ended, in Unix time.", "schedule"),
		"config_last_reload_success":                   gauge("1 if the configuration could be loaded the last time, else 0."),
		"config_last_reload_success_timestamp_seconds": gauge("When the configuration was last loaded, in Unix time."),
		"leader": gauge("1 if this process is active, 0 if it stands by."),
	}
}

// values are gauges whose values are replaced together.
type values map[string]*prometheus.GaugeVec

// set sets the value of a gauge.
func (v values) set(name string, value float64, labels ...string) { v.gauge(name, labels).Set(value) }

// add adds to the value of a gauge.
func (v values) add(name string, value float64, labels ...string) { v.gauge(name, labels).Add(value) }

func (v values) gauge(name string, labels []string) prometheus.Gauge {
	if v[name] == nil {
		v[name] = newGauge(name)
	}
	return v[name].WithLabelValues(labels...)
}

func newGauge(name string) *prometheus.GaugeVec {
	g, found := gauges()[name]
	if !found {
		panic("unknown gauge " + name)
	}
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: prefix, Name: name, Help: g.help}, g.labels)
}

// counters add up over all runs.
type counters struct {
	runs, steps, sourceErrors, skipped, missed, panics, notifications *prometheus.CounterVec
	requests, retries                                                 *prometheus.CounterVec
	contents, copies                                                  *prometheus.CounterVec
	copiedBytes                                                       prometheus.Counter
	evaluation, ledgerErrors, waits, waited                           prometheus.Counter
	contentRequests, contentBytes                                     prometheus.Counter
	latency                                                           *prometheus.HistogramVec
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
		missed:        vector("missed_runs_total", "Times that a schedule had runs due while no process was active, and none was made up for; several missed runs count once.", "schedule"),
		panics:        vector("run_panics_total", "Runs that ended in a panic.", "schedule"),
		notifications: vector("notifications_total", "Notifications, by result.", "result"),
		requests:      vector("api_requests_total", "Requests to the API, by operation and status code; the code is error if there was no answer.", "operation", "code"),
		retries:       vector("api_retries_total", "Requests that were sent again, by operation and the status code of the attempt before; the code is error if there was no answer.", "operation", "code"),
		evaluation:    counter("policy_evaluation_seconds_total", "Time that policies took, summed over concurrent evaluations."),
		ledgerErrors:  counter("ledger_errors_total", "Attempts to read or write the ledger that failed."),
		waits:         counter("api_rate_limit_waits_total", "Requests that waited for the rate limit of the API."),
		waited:        counter("api_rate_limit_wait_seconds_total", "Time that requests waited for the rate limit of the API, summed over all of them."),
		contents:      vector("content_reads_total", "Digests whose content decided something: read from the registry, known already, or unread because that failed.", "result"),

		copies:      vector("archive_copies_total", "Tags that were to be copied into the archive before their deletion, by result.", "result"),
		copiedBytes: counter("archive_copied_bytes_total", "Bytes that were copied into the archive."),

		contentRequests: counter("content_requests_total", "Requests for the content of digests, those for tokens and after redirects included."),
		contentBytes:    counter("content_bytes_total", "Bytes of the answers to those requests."),
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
	c.count(runs.Contents{}) // so that the series exist
	c.copied(runs.Copies{})
	return c
}

// copied adds what a run has copied into the archive.
func (c *counters) copied(n runs.Copies) {
	for result, n := range map[string]int64{"copied": n.Tags, "failed": n.Failed} {
		c.copies.WithLabelValues(result).Add(float64(n))
	}
	c.copiedBytes.Add(float64(n.Bytes))
}

// count adds what a run has read of the inside of tags.
func (c *counters) count(n runs.Contents) {
	for result, n := range map[string]int64{"read": n.Read, "known": n.Known, "unread": n.Unread} {
		c.contents.WithLabelValues(result).Add(float64(n))
	}
	c.contentRequests.Add(float64(n.Calls))
	c.contentBytes.Add(float64(n.Bytes))
}
