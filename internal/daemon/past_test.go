package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/daemon"
)

// A run that was due while no daemon worked is made up for once, within catch_up.
func TestAMissedRunIsMadeUpFor(t *testing.T) {
	const nightly, every = `cron: "0 3 * * *", do: plan`, `cron: "@every 3h", do: plan`
	for _, c := range []struct {
		name, schedule string
		empty          bool          // the ledger has no run
		down           time.Duration // how long no daemon worked, from 03:30 on
		made, missed   int
	}{
		{"an hour after it was due", nightly + ", catch_up: 2h", false, 24*time.Hour + 30*time.Minute, 1, 0},
		{"three hours after", nightly + ", catch_up: 2h", false, 26*time.Hour + 30*time.Minute, 0, 1},
		{"exactly as long after", nightly + ", catch_up: 2h", false, 25*time.Hour + 30*time.Minute, 1, 0},
		{"before it was due", nightly + ", catch_up: 2h", false, 23 * time.Hour, 0, 0},
		{"several were missed", nightly + ", catch_up: 2h", false, 72*time.Hour + 30*time.Minute, 1, 0},
		{"without the key", nightly, false, 24*time.Hour + 30*time.Minute, 0, 1},
		{"with an empty ledger", nightly + ", catch_up: 2h", true, 24*time.Hour + 30*time.Minute, 0, 0},
		{"an interval", every + ", catch_up: 2h", false, 24*time.Hour + 30*time.Minute, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, registryWorld, daemonConfig+"schedules: [{name: nightly, "+c.schedule+"}]\nledger: {dsn: ledger.db}\n")
				before := 2*time.Hour + 30*time.Minute // the clock begins at 01:00 in Paris
				if strings.Contains(c.schedule, "@every") {
					before = 3*time.Hour + 30*time.Minute
				}
				s.run(before)
				if got := s.count(`msg="run finished"`); got != 1 {
					t.Fatalf("%d runs before\n%s", got, s.log)
				}
				if c.empty {
					for _, file := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
						_ = os.Remove(filepath.Join(filepath.Dir(s.file), file))
					}
				}
				time.Sleep(c.down)
				s.run(10 * time.Minute)
				made, missed := s.count("making up for a missed run"), s.count("a run was missed while no daemon worked")
				if runs := s.count(`msg="run finished"`) - 1; made != c.made || runs != c.made || missed != c.missed {
					t.Errorf("%d made up for, %d runs, %d missed; want %d and %d\n%s", made, runs, missed, c.made, c.missed, s.log)
				}
			})
		})
	}
}

// After a restart, the metrics and the page show the last run before any other was made.
func TestADaemonGoesOnFromTheLedger(t *testing.T) {
	s := newSite(t, registryWorld, daemonConfig+"schedules: [{name: nightly, cron: \"0 3 * * *\", do: plan}]\nledger: {dsn: ledger.db}\n")
	s.options.RunAtStart = true
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx, s.options) }()
	s.until(func() bool { return s.count(`msg="run finished"`) == 1 })
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	s.options.RunAtStart = false
	address := s.start()
	s.until(func() bool { return strings.Contains(s.get(address+"/metrics"), "registry_janitor_leader 1") })
	var shown string
	s.until(func() bool {
		shown = s.get(address + "/metrics")
		return strings.Contains(shown, "registry_janitor_last_run_success 1")
	})
	for _, want := range []string{"registry_janitor_scanned_tags 6\n", "registry_janitor_last_success_timestamp_seconds "} {
		if !strings.Contains(shown, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(shown, "registry_janitor_runs_total{") {
		t.Errorf("the run before the restart was counted again:\n%s", shown)
	}
	if page := s.get(address + "/"); !strings.Contains(page, "Nothing to do") {
		t.Errorf("the page does not show the run before the restart: %s", page)
	}
}
