package metrics

import (
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The values of the label result of runs_total.
const (
	runSucceeded  = "succeeded"
	runIncomplete = "incomplete" // something could not be read, judged or done
	runRefused    = "refused"    // by a limit
	runFailed     = "failed"     // with an error
)

// Set sets the values of a finished run. A run without a plan leaves the values of
// the last plan, and a run without an outcome those of the last run that applied.
func (m *Metrics) Set(run runs.Run) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.command = string(run.Kind)
	if m.isScheduled(run.Trigger) {
		m.scheduleNames.admit(run.Trigger)
		schedule := m.scheduleNames.label(run.Trigger)
		m.counters.runs.WithLabelValues(string(run.Kind), schedule, resultOf(&run)).Inc()
		m.setSchedule(schedule, &run)
	}
	m.counters.copied(run.Copies)
	m.counters.evaluation.Add(max(0, run.Judging.Seconds()))
	m.counters.count(run.Contents)
	m.setRun(&run)
	m.setSources(&run)
	if run.Plan == nil {
		return
	}
	m.setPlan(&run)
	if run.Plan.Outcome != nil {
		m.setOutcome(run.Plan)
		m.countSteps(run.Plan)
	}
}

func (m *Metrics) setRun(run *runs.Run) {
	if run.Succeeded() {
		m.lastSuccess = endOf(run)
	}
	m.run = values{}
	m.run.set("last_run_timestamp_seconds", unix(run.Began()))
	m.run.set("last_run_success", number(run.Succeeded()))
	m.run.set("last_run_duration_seconds", run.Duration.Seconds())
	m.run.set("last_run_policy_evaluation_seconds", run.Judging.Seconds())
	m.run.set("last_run_api_requests", float64(run.Calls))
	m.run.set("waivers", float64(run.Waivers.InForce))
	m.run.set("waivers_expiring", float64(run.Waivers.Expiring))
	if !m.lastSuccess.IsZero() {
		m.run.set("last_success_timestamp_seconds", unix(m.lastSuccess))
	}
}

// setOutcome sets the results of the steps.
func (m *Metrics) setOutcome(p *actions.Plan) {
	m.applied = values{}
	add := func(n float64, region, action string, result actions.Result) {
		m.applied.add("applied_steps", n, region, action, string(result))
	}
	for i := range p.Steps {
		// A zero, because a missing series would not mean that nothing was done.
		add(0, string(p.Steps[i].Region), string(p.Steps[i].Action), actions.ResultDone)
	}
	for _, region := range regionsOf(p) {
		for _, action := range actionNames() {
			add(0, region, action, actions.ResultDone)
		}
	}
	for i := range p.Outcome.Results {
		r := &p.Outcome.Results[i]
		region, _ := place(r.Ref)
		add(1, region, string(r.Action), r.Result)
	}
	m.applied.set("lost_tags", float64(len(p.Outcome.Lost)))
}

// countSteps counts the results of the steps.
func (m *Metrics) countSteps(p *actions.Plan) {
	for i := range p.Outcome.Results {
		r := &p.Outcome.Results[i]
		m.counters.steps.WithLabelValues(string(r.Action), string(r.Result)).Inc()
	}
}

func resultOf(run *runs.Run) string {
	switch {
	case run.Plan != nil && run.Plan.Refused():
		return runRefused
	case run.Plan == nil || run.Error != "":
		return runFailed
	case !run.Succeeded():
		return runIncomplete
	}
	return runSucceeded
}

func endOf(run *runs.Run) time.Time { return run.Began().Add(run.Duration) }

// unix is a time in seconds, 0 if it is not known.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / float64(time.Second)
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
