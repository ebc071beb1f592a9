package ledger

import (
	"context"
	"errors"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func TestOneDaemonLeadsAndTheNextTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		first, second := openWith(t, dsn, Options{Who: "first"}), openWith(t, dsn, Options{Who: "second"})
		lead, err := first.Lead(t.Context())
		must(t, err)
		wantLeader(t, second, "first")

		// A person may apply while a daemon leads, and the other way round.
		must(t, mustLock(t, second).Unlock())

		if h, err := second.try(t.Context(), database.LeaderLock); h != nil || err != nil {
			t.Fatalf("two lead at once: %v, %v", h, err)
		}
		waiting, stop := context.WithCancel(t.Context())
		stop()
		if _, err := second.Lead(waiting); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting until the context ends gives %v", err)
		}

		must(t, lead.Unlock())
		must(t, lead.Unlock())
		wantLeader(t, second, "")
		next, err := second.Lead(t.Context())
		must(t, err)
		wantLeader(t, first, "second")
		select {
		case <-next.Lost():
			t.Error("the leadership was lost at once")
		default:
		}
		must(t, next.Unlock())
	})
}

func TestARunHasATrigger(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		_, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindPlan, Trigger: "nightly"})
		must(t, err)
		runs, err := l.Runs(t.Context(), 1)
		must(t, err)
		if runs[0].Trigger != "nightly" {
			t.Errorf("it was started by %q", runs[0].Trigger)
		}
	})
}

func wantLeader(t *testing.T, l *Ledger, want string) {
	t.Helper()
	who, err := l.Leader(t.Context())
	must(t, err)
	if who != want {
		t.Errorf("%q leads, want %q", who, want)
	}
}
