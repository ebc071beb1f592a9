package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The newest probe of each region counts, whenever it was recorded.
func TestProbes(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		newest := []Probe{
			{Region: "fr-par", TakenAt: at, Document: []byte(`{"n":1}`)},
			{Region: "nl-ams", TakenAt: at.Add(-time.Hour), Document: []byte(`{"n":2}`)},
		}
		for _, p := range append(newest, Probe{Region: "fr-par", TakenAt: at.Add(-time.Minute), Document: []byte(`{"n":3}`)}) {
			must(t, l.RecordProbe(t.Context(), p))
		}
		got, err := l.Probes(t.Context())
		must(t, err)
		if diff := cmp.Diff(newest, got); diff != "" {
			t.Errorf("the newest probes (-want +got):\n%s", diff)
		}
	})
}
