package metrics

import (
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Past is what the ledger has of earlier processes.
type Past struct {
	Latest  *runs.Run      // the latest run with a plan; nil without one
	Applied *runs.Run      // the latest that applied; nil without one
	Runs    []runs.Summary // those that ended, newest first
	// Namespaces are those that an earlier process showed by name.
	Namespaces []string
}

// Namespaces are those that are shown by name, sorted.
func (m *Metrics) Namespaces() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.namespaces.known))
}

// Resume sets the values of the last run, of the last plan, of the last run that applied
// and of the schedules, as an earlier process left them. It counts nothing: counters begin
// at 0 in each process. The ledger does not have the sizes of namespaces.
func (m *Metrics) Resume(past Past) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range past.Namespaces {
		m.namespaces.admit(name)
	}
	for _, r := range slices.Backward(past.Runs) {
		run := runs.Run{Started: r.Started, Duration: r.Duration.Duration()}
		complete := r.Error == "" && !r.Declined && (r.Exit == 0 || r.Exit == 2)
		if complete {
			m.lastSuccess = endOf(&run)
		}
		if m.isScheduled(r.Trigger) {
			m.scheduleNames.admit(r.Trigger)
			m.resumeSchedule(m.scheduleNames.label(r.Trigger), &run, complete)
		}
	}
	if past.Latest != nil {
		m.command = string(past.Latest.Kind)
		m.setRun(past.Latest)
		kept := m.namespaces.known // a plan from the ledger does not have those without a step
		m.setPlan(past.Latest)
		for _, name := range slices.Sorted(maps.Keys(kept)) {
			m.namespaces.admit(name)
		}
	}
	if past.Applied != nil {
		m.setOutcome(past.Applied.Plan)
	}
}

func (m *Metrics) resumeSchedule(label string, run *runs.Run, complete bool) {
	s := m.schedules[label]
	s.ran, s.complete, s.last, s.took = true, complete, run.Started, run.Duration
	if complete {
		s.success = endOf(run)
	}
	m.schedules[label] = s
}

// Missed counts a run that was due while no process worked, and that is not made up for.
func (m *Metrics) Missed(schedule string) { m.count(m.counters.missed, schedule) }
