package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The values of the label result of notifications_total.
const (
	notified    = "sent"
	notNotified = "failed"
)

// schedule is the state of one schedule.
type schedule struct {
	next          time.Time // zero if it is not due again
	ran, complete bool      // whether it ran, and whether its last run was complete
	last          time.Time
	took          time.Duration
	success       time.Time // when its last complete run ended
}

// reload is the last attempt to load the configuration.
type reload struct {
	tried, ok bool
	at        time.Time // when it was last loaded
}

// SetNext sets when a schedule is next due.
func (m *Metrics) SetNext(name string, next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.isScheduled(name) {
		return
	}
	m.scheduleNames.admit(name)
	label := m.scheduleNames.label(name)
	s := m.schedules[label]
	if label != other || s.next.IsZero() || next.Before(s.next) {
		s.next = next
	}
	m.schedules[label] = s
	m.counters.skipped.WithLabelValues(label)
	m.counters.missed.WithLabelValues(label)
	m.counters.panics.WithLabelValues(label)
}

// ForgetSchedules forgets all schedules except these, after a configuration has been
// loaded. The counters of runs that no schedule started stay.
func (m *Metrics) ForgetSchedules(keep []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.configured = append([]string{}, keep...)
	for name := range m.scheduleNames.known {
		if !slices.Contains(keep, name) && !slices.Contains(triggers(), name) {
			delete(m.scheduleNames.known, name)
			m.forgetSchedule(validUTF8(name))
		}
	}
	m.forgetSchedule(other)
}

// isScheduled reports whether a schedule is configured, or may be: a run may end after
// its schedule was removed.
func (m *Metrics) isScheduled(name string) bool {
	return m.configured == nil || slices.Contains(m.configured, name) || slices.Contains(triggers(), name)
}

// triggers start runs without a schedule.
func triggers() []string { return []string{runs.TriggerCommand, runs.TriggerStart, runs.TriggerHTTP} }

func (m *Metrics) forgetSchedule(label string) {
	delete(m.schedules, label)
	for _, vector := range []*prometheus.CounterVec{m.counters.runs, m.counters.skipped, m.counters.missed, m.counters.panics} {
		vector.DeletePartialMatch(prometheus.Labels{"schedule": label})
	}
}

// Overlapped counts a run that was due while another one was active.
func (m *Metrics) Overlapped(schedule string) { m.count(m.counters.skipped, schedule) }

// Panicked counts a run that ended in a panic.
func (m *Metrics) Panicked(schedule string) { m.count(m.counters.panics, schedule) }

func (m *Metrics) count(vector *prometheus.CounterVec, schedule string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.isScheduled(schedule) {
		return
	}
	m.scheduleNames.admit(schedule)
	vector.WithLabelValues(m.scheduleNames.label(schedule)).Inc()
}

// Reloaded notes that the configuration was loaded, or could not be loaded.
func (m *Metrics) Reloaded(at time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reload.tried, m.reload.ok = true, ok
	if ok {
		m.reload.at = at
	}
}

// LedgerFailed counts an attempt to read or write the ledger that failed.
func (m *Metrics) LedgerFailed() { m.counters.ledgerErrors.Inc() }

// Notified counts a notification that was sent, or that failed with err.
func (m *Metrics) Notified(err error) {
	result := notified
	if err != nil {
		result = notNotified
	}
	m.counters.notifications.WithLabelValues(result).Inc()
}

// Leads sets whether this process is active or on standby. A standby process
// exposes no values of runs, and not what the archive holds: they get old, and the active
// process exposes its own. Both read the restorations from the ledger.
func (m *Metrics) Leads(yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leads = &yes
	if yes {
		return
	}
	m.run, m.plan, m.applied, m.sources, m.lastSuccess = nil, nil, nil, nil, time.Time{}
	m.archive = archive{restores: m.archive.restores}
	for label, s := range m.schedules {
		m.schedules[label] = schedule{next: s.next}
	}
}

// setSchedule sets the values of the schedule that started a run.
func (m *Metrics) setSchedule(label string, run *runs.Run) {
	s := m.schedules[label]
	s.ran, s.complete, s.last, s.took = true, run.Succeeded(), run.Began(), run.Duration
	if s.complete {
		s.success = endOf(run)
	}
	m.schedules[label] = s
}

// daemon has the values of the daemon, if there is one. The caller holds the lock.
func (m *Metrics) daemon() values {
	v := values{}
	for label, s := range m.schedules {
		if !s.next.IsZero() {
			v.set("schedule_next_run_timestamp_seconds", unix(s.next), label)
		}
		if s.ran {
			v.set("schedule_last_run_timestamp_seconds", unix(s.last), label)
			v.set("schedule_last_run_duration_seconds", s.took.Seconds(), label)
			v.set("schedule_last_run_success", number(s.complete), label)
		}
		if !s.success.IsZero() {
			v.set("schedule_last_success_timestamp_seconds", unix(s.success), label)
		}
	}
	if m.reload.tried {
		v.set("config_last_reload_success", number(m.reload.ok))
	}
	if !m.reload.at.IsZero() {
		v.set("config_last_reload_success_timestamp_seconds", unix(m.reload.at))
	}
	if m.leads != nil {
		v.set("leader", number(*m.leads))
	}
	return v
}
