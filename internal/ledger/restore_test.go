package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Rows that an earlier program wrote have no result: those tags were restored.
func TestAFailedRestorationIsNotARestoration(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		old := openAt(t, dsn, 11)
		execute(t, old, `INSERT INTO janitor_restores (ref, digest, origin, run_id, who, at) VALUES ($1, 'sha256:x', $1, 1, 'ada', 1)`, ref("x"))
		must(t, old.Close())
		l := openWith(t, dsn, Options{Who: "ada"})
		must(t, l.Restored(t.Context(), Restore{Ref: ref("y"), Digest: "sha256:x", From: ref("x"), Run: 2, Result: actions.ResultDone}))
		must(t, l.Restored(t.Context(), Restore{Ref: ref("z"), Digest: "sha256:x", From: ref("x"), Run: 2, Result: actions.ResultFailed, Detail: "the bucket denies it"}))

		counts, err := l.Restores(t.Context())
		must(t, err)
		if diff := cmp.Diff(map[actions.Result]int64{actions.ResultDone: 2, actions.ResultFailed: 1}, counts); diff != "" {
			t.Error(diff)
		}
		restored, err := l.RestoredSince(t.Context(), time.UnixMicro(1))
		must(t, err)
		if len(restored) != 2 || restored[0].Ref != ref("x") || restored[1].Ref != ref("y") {
			t.Errorf("%+v", restored)
		}
		if later, err := l.RestoredSince(t.Context(), time.UnixMicro(2)); err != nil || len(later) != 1 {
			t.Errorf("%+v, %v", later, err)
		}
		for tag, want := range map[string]string{
			"x": "restored by run 1: ", "y": "restored by run 2: from the copy of " + ref("x"), "z": "not_restored by run 2: the bucket denies it",
		} {
			events, err := l.History(t.Context(), ref(tag))
			must(t, err)
			if len(events) != 1 || fmt.Sprintf("%s by run %d: %s", events[0].Kind, events[0].Run, events[0].Detail) != want {
				t.Errorf("%s: %+v, want %q", tag, events, want)
			}
		}
	})
}

func TestALedgerWithoutRestorationsHasNoneOfEitherResult(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		counts, err := open(t, dsn).Restores(t.Context())
		must(t, err)
		if diff := cmp.Diff(map[actions.Result]int64{actions.ResultDone: 0, actions.ResultFailed: 0}, counts); diff != "" {
			t.Error(diff)
		}
	})
}
