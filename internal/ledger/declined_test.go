package ledger

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// A run that the operator declined is neither failed nor finished, and shows the steps
// of its plan; so does a run that only plans.
func TestADeclinedRunShowsWhatWasNotDone(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		p := planOf(t, start, []string{"a", "b"})
		for kind, status := range map[runs.Kind]Status{runs.KindPlan: StatusFinished, runs.KindApply: StatusDeclined} {
			r := begin(t, l, kind)
			must(t, r.Plan(t.Context(), p, everything))
			must(t, r.Finish(t.Context(), Ending{Status: status, Exit: 1, Message: "nothing was changed"}))
			got, err := l.RunWithPlan(t.Context(), r.ID())
			must(t, err)
			if got.Status != status || len(got.Steps) != 2 || got.Steps[0].Step == nil || got.Steps[0].Result != "" || got.Steps[0].Tries != 0 {
				t.Errorf("%s: %s %+v", kind, got.Status, got.Steps)
			}
		}
		if _, n, err := l.MedianDeletions(t.Context(), 10); err != nil || n != 0 {
			t.Errorf("%d runs count as usual, %v", n, err)
		}
	})
}

// The history of an image is that of its tags, not that of an image whose name is longer.
func TestHistoryOfAnImageAndANamespace(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		const prod = "rg.fr-par.scw.cloud/prod"
		for _, ref := range []string{prod + "/api:v1", prod + "/api/debug:v1", prod + "/api2:v1", prod + "uction/api:v1"} {
			must(t, r.Intend(t.Context(), actions.Step{Action: actions.DeleteTag, Ref: ref}))
		}
		for ref, want := range map[string][]string{
			prod + "/api:v1": {prod + "/api:v1"},
			prod + "/api":    {prod + "/api:v1"},
			prod:             {prod + "/api/debug:v1", prod + "/api2:v1", prod + "/api:v1"},
			prod + "/ap":     nil,
		} {
			events, err := l.History(t.Context(), ref)
			must(t, err)
			var got []string
			for _, e := range events {
				got = append(got, e.Ref)
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", ref, diff)
			}
		}
	})
}
