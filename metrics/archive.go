package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// archive is what is known of the archive: values that are replaced together.
type archive struct {
	held, purged values // what it holds, and how it was purged last
	read         time.Time
	restores     map[actions.Result]int64 // nil until they are counted
}

// restores describes the only counter whose value is not of this process.
func restores() *prometheus.Desc {
	return prometheus.NewDesc(prefix+"_archive_restores_total",
		"Tags that were restored from the archive, or could not be, as the ledger has them, by result.", []string{"result"}, nil)
}

// SetArchive sets what the archive holds, as it was read at a time.
func (m *Metrics) SetArchive(a runs.Archive, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive.read = at
	held := m.archive.wasRead(true)
	held.set("archive_tags", float64(a.Tags))
	held.set("archive_restored_tags", float64(a.Restored))
	held.set("archive_blobs", float64(a.Blobs))
	held.set("archive_bytes", float64(a.Bytes))
	if a.Tags > 0 {
		held.set("archive_oldest_timestamp_seconds", unix(a.Oldest))
		held.set("archive_next_expiry_timestamp_seconds", unix(a.NextExpiry))
	}
}

// ArchiveUnread notes that the archive could not be read. What it held before is not
// shown any more, because it would look like what it holds now.
func (m *Metrics) ArchiveUnread() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive.wasRead(false)
}

// wasRead replaces what the archive holds.
func (a *archive) wasRead(ok bool) values {
	a.held = values{}
	a.held.set("archive_last_read_success", number(ok))
	if !a.read.IsZero() {
		a.held.set("archive_last_read_timestamp_seconds", unix(a.read))
	}
	return a.held
}

// ForgetArchive forgets the archive, after a configuration without one has been loaded.
func (m *Metrics) ForgetArchive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive = archive{}
}

// Purged notes that the archive was purged, or could not be.
func (m *Metrics) Purged(at time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive.purged = values{}
	m.archive.purged.set("archive_last_purge_success", number(ok))
	m.archive.purged.set("archive_last_purge_timestamp_seconds", unix(at))
}

// SetRestores sets how many restorations the ledger has, by result. One that it does not
// have is 0: Prometheus sees no increase in a series that begins with its first failure.
func (m *Metrics) SetRestores(counts map[actions.Result]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.archive.restores = map[actions.Result]int64{}
	for _, result := range []actions.Result{actions.ResultDone, actions.ResultFailed} {
		m.archive.restores[result] = counts[result]
	}
}

// collectRestores exposes the counts.
func collectRestores(counts map[actions.Result]int64, out chan<- prometheus.Metric) {
	for result, n := range counts {
		out <- prometheus.MustNewConstMetric(restores(), prometheus.CounterValue, float64(n), string(result))
	}
}
