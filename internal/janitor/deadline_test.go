package janitor

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

// hung is an API that stops to answer requests of a method.
func hung(method string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method {
				<-r.Context().Done()
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// A run that reaches its deadline ends as failed: it is neither finished, nor was it
// stopped by its operator.
func TestARunEndsAtItsDeadline(t *testing.T) {
	for _, tt := range []struct {
		name, hung string
		make       func(t *testing.T, s *Session, o recorder.Options) error
	}{
		{"a plan whose scan never ends", http.MethodGet, func(t *testing.T, s *Session, o recorder.Options) error {
			run, err := s.MakePlan(t.Context(), o, PlanExit)
			if run.Exit != ExitIncomplete || run.Error != err.Error() {
				t.Errorf("the run is %+v", run)
			}
			return err
		}},
		{"an apply whose deletion never ends", http.MethodDelete, func(t *testing.T, s *Session, o recorder.Options) error {
			run, err := (&ApplyRun{Session: s, Recorder: o, Log: slog.New(slog.DiscardHandler)}).Run(t.Context())
			if run.Exit != ExitIncomplete || run.Plan == nil || run.Plan.Outcome == nil || run.Plan.Outcome.Skipped == 0 {
				t.Errorf("the run is %+v", run)
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dsn := filepath.Join(t.TempDir(), "ledger.db")
			synctest.Test(t, func(t *testing.T) {
				s := newSetting(t, withoutFaults(), rules+"limits: {max_deletion_percent: 100}\nrun_timeout: 90m\nledger: {dsn: "+dsn+"}\n", 4, hung(tt.hung))
				session, err := NewSession(s.planner, SessionOptions{Now: atNow, Connection: scaleway.Options{
					Credentials:    &scaleway.Credentials{APIURL: "http://localhost", AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: "11111111-1111-1111-1111-111111111111"},
					Base:           s.base,
					RequestTimeout: 24 * time.Hour,
					Now:            atNow,
				}})
				check(t, err)
				began := time.Now()
				err = tt.make(t, session, recorder.Options{Trigger: "test"})
				if err == nil || !strings.Contains(err.Error(), "longer than run_timeout (90m)") {
					t.Errorf("it ends with %v", err)
				}
				if took := time.Since(began); took < 90*time.Minute || took > 100*time.Minute {
					t.Errorf("it ends after %s", took)
				}
				l, err := ledger.Open(t.Context(), dsn, ledger.Options{})
				check(t, err)
				records, err := l.Runs(t.Context(), 1)
				check(t, err)
				if records[0].Status != ledger.StatusFailed {
					t.Errorf("the ledger has %+v", records[0])
				}
				check(t, l.Close())
			})
		})
	}
}
