package janitor

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/registry"
)

// With shared_digest: auto, the newest probe of a region decides for 90 days, and without
// one, shared digests are protected.
func TestAProbeDecidesAboutSharedDigests(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		probes []string // of fr-par, the shared_digest that each found
		ages   []time.Duration
		want   actions.SharedDigest
	}{
		"no probe":                             {nil, nil, actions.Protect},
		"untag":                                {[]string{"untag"}, []time.Duration{time.Hour}, actions.Untag},
		"reject":                               {[]string{"reject"}, []time.Duration{time.Hour}, actions.Protect},
		"cascade":                              {[]string{"cascade"}, []time.Duration{time.Hour}, actions.Protect},
		"unknown":                              {[]string{"unknown"}, []time.Duration{time.Hour}, actions.Protect},
		"untag, too long ago":                  {[]string{"untag"}, []time.Duration{90 * day}, actions.Protect},
		"untag, and now reject":                {[]string{"untag", "reject"}, []time.Duration{2 * day, day}, actions.Protect},
		"reject, and now untag, other order":   {[]string{"untag", "reject"}, []time.Duration{day, 2 * day}, actions.Untag},
		"untag, and now nothing was found out": {[]string{"untag", "unknown"}, []time.Duration{2 * day, day}, actions.Protect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := filepath.Join(t.TempDir(), "ledger.db")
			p := &Planner{Config: mustParse(t, fmt.Sprintf("shared_digest: auto\nledger: {dsn: %q}\n", dsn)), TakenAt: now}
			l, err := ledger.Open(t.Context(), dsn, ledger.Options{})
			check(t, err)
			for i, found := range row.probes {
				check(t, l.RecordProbe(t.Context(), ledger.Probe{
					Region: "fr-par", TakenAt: now.Add(-row.ages[i]), Document: fmt.Appendf(nil, `{"region": "fr-par", "findings": {"shared_digest": %q}}`, found),
				}))
			}
			check(t, l.Close())
			check(t, p.ReadLedger(t.Context()))
			for region, want := range map[registry.Region]actions.SharedDigest{"fr-par": row.want, "nl-ams": actions.Protect} {
				if got := p.sharedDigest(region); got != want {
					t.Errorf("%s: got %s, want %s", region, got, want)
				}
			}
		})
	}
}
