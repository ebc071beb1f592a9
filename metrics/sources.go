package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// setSources sets the values of the use sources. A run that ended before it read any
// changes nothing.
func (m *Metrics) setSources(run *runs.Run) {
	if run.Plan == nil && len(run.Sources) == 0 {
		return
	}
	m.renewSources(run.Sources)
	uses := tally{state: m.states.sourceUses}
	failed, reads := map[string]bool{}, map[string]time.Time{}
	var order []string
	for _, s := range run.Sources {
		label := m.sourceNames.label(s.Name)
		if _, seen := failed[label]; !seen {
			order = append(order, label)
		}
		failed[label] = failed[label] || s.Error != ""
		uses.add(float64(s.Uses), label)
		m.counters.sourceErrors.WithLabelValues(label).Add(number(s.Error != ""))
		if !s.ReadAt.IsZero() {
			m.lastRead[s.Name] = s.ReadAt
		}
		// The oldest time of those that share a label.
		if at := m.lastRead[s.Name]; !at.IsZero() && (reads[label].IsZero() || at.Before(reads[label])) {
			reads[label] = at
		}
	}
	all := uses.metrics()
	for _, label := range order {
		all = append(all, m.states.sourceSuccess.is(number(!failed[label]), label))
		if at := reads[label]; !at.IsZero() {
			all = append(all, m.states.sourceRead.is(unix(at), label))
		}
	}
	m.sources = all
}

// renewSources forgets the sources that are not read any more.
func (m *Metrics) renewSources(sources []runs.UseSource) {
	current := map[string]bool{}
	var names []string
	for _, s := range sources {
		current[s.Name] = true
		names = append(names, s.Name)
	}
	for name := range m.sourceNames.known {
		if !current[name] {
			m.counters.sourceErrors.DeletePartialMatch(prometheus.Labels{"source": clean(name)})
		}
	}
	for name := range m.lastRead {
		if !current[name] {
			delete(m.lastRead, name)
		}
	}
	m.sourceNames.renew(names)
}
