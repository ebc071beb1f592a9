package daemon_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The page shows how far an apply is, and offers no other run meanwhile.
func TestThePageShowsTheRunInProgress(t *testing.T) {
	s := newSite(t, registryWorld, strings.Replace(daemonConfig, "14d", "7d", 1)+"limits: {max_deletion_percent: 100}\n")
	s.options.EnableApply = true
	s.options.Views.Updates, s.options.Views.MostKept = page.Updates, page.MostKept
	proceed := make(chan struct{})
	base := s.options.Session.Connection.Base
	s.options.Session.Connection.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodDelete {
			select {
			case <-proceed:
			case <-r.Context().Done():
			}
		}
		return base.RoundTrip(r)
	})
	address := s.start()
	s.post(address+"/api/v1/apply", http.StatusAccepted)
	var status struct{ Running *runs.Running }
	s.until(func() bool {
		s.json(address+"/api/v1/status", &status)
		return status.Running != nil && status.Running.Steps == 4
	})
	if r := status.Running; r.Kind != runs.KindApply || r.Finished != 0 || r.Applying.IsZero() || r.Images != 1 {
		t.Errorf("the run in progress is %+v", r)
	}
	shown := s.get(address + "/")
	for _, want := range []string{"Applying now", "0 of 4 steps (0 %), 0 failed", `disabled>Plan now`} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page lacks %q: %s", want, shown)
		}
	}
	close(proceed)
	s.until(func() bool { return strings.Contains(s.get(address+"/"), "4 deleted") })
	shown = s.get(address + "/")
	if strings.Contains(shown, "Applying now") || !strings.Contains(shown, "no rule marks them") {
		t.Errorf("after the run, the page shows %s", shown)
	}
}
