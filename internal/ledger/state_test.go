package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// A daemon finds what the one before it knew.
func TestTheStateOfADaemon(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		got := map[string]int{"untouched": 1}
		must(t, l.State(t.Context(), "counts", &got))
		if diff := cmp.Diff(map[string]int{"untouched": 1}, got); diff != "" {
			t.Error("without a state:", diff)
		}
		must(t, l.SetState(t.Context(), "counts", map[string]int{"a": 1}))
		must(t, l.SetState(t.Context(), "counts", map[string]int{"b": 2}))
		must(t, l.SetState(t.Context(), "others", []string{"c"}))
		got = nil
		must(t, l.State(t.Context(), "counts", &got))
		if diff := cmp.Diff(map[string]int{"b": 2}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheLastRunOfASchedule(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		if _, found, err := l.LastOf(t.Context(), "nightly"); found || err != nil {
			t.Errorf("an empty ledger has a run: %v", err)
		}
		var last int64
		for _, trigger := range []string{"nightly", "nightly", "hourly"} {
			r, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindPlan, Trigger: trigger})
			must(t, err)
			must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))
			if trigger == "nightly" {
				last = r.ID()
			}
		}
		r, found, err := l.LastOf(t.Context(), "nightly")
		must(t, err)
		if !found || r.ID != last || r.Started.IsZero() {
			t.Errorf("the last run is %+v", r)
		}
	})
}
