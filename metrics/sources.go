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
	m.sources = values{}
	failed, reads := map[string]bool{}, map[string]time.Time{}
	for _, s := range run.Sources {
		label := m.sourceNames.label(s.Name)
		failed[label] = failed[label] || s.Error != ""
		m.sources.add("use_source_uses", float64(s.Uses), label)
		m.counters.sourceErrors.WithLabelValues(label).Add(number(s.Error != ""))
		if !s.ReadAt.IsZero() {
			m.lastRead[s.Name] = s.ReadAt
		}
		// The oldest time of those that share a label.
		if at := m.lastRead[s.Name]; !at.IsZero() && (reads[label].IsZero() || at.Before(reads[label])) {
			reads[label] = at
		}
	}
	for label := range failed {
		m.sources.set("use_source_last_read_success", number(!failed[label]), label)
	}
	for label, at := range reads {
		m.sources.set("use_source_last_read_timestamp_seconds", unix(at), label)
	}
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
			m.counters.sourceErrors.DeletePartialMatch(prometheus.Labels{"source": validUTF8(name)})
		}
	}
	for name := range m.lastRead {
		if !current[name] {
			delete(m.lastRead, name)
		}
	}
	m.sourceNames.renew(names)
}
