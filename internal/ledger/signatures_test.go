package ledger

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// The ledger gives back a plan byte for byte, and its signatures, one for each key.
func TestPlansAreSigned(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		made := begin(t, l, runs.KindPlan)
		p := planOf(t, start, []string{"a", "b"})
		must(t, made.Plan(t.Context(), p, everything))
		must(t, made.Finish(t.Context(), Ending{Status: StatusFinished}))
		var before, after bytes.Buffer
		must(t, p.Encode(&before))
		stored, err := l.Plan(t.Context(), p.ID)
		must(t, err)
		must(t, stored.Encode(&after))
		if !bytes.Equal(before.Bytes(), after.Bytes()) {
			t.Errorf("the plan comes back as\n%s\nnot\n%s", after.Bytes(), before.Bytes())
		}

		if err := l.Sign(t.Context(), "sha256:unknown", "SHA256:k1", []byte("s")); !errors.Is(err, ErrUnknownPlan) {
			t.Errorf("signing an unknown plan: %v", err)
		}
		must(t, l.Sign(t.Context(), p.ID, "SHA256:k1", []byte("first")))
		must(t, l.Sign(t.Context(), p.ID, "SHA256:k2", []byte("second")))
		must(t, l.Sign(t.Context(), p.ID, "SHA256:k1", []byte("again")))
		all, err := l.Signatures(t.Context(), p.ID)
		must(t, err)
		if len(all) != 2 || string(all[0].Armored) != "second" || string(all[1].Armored) != "again" || all[1].Key != "SHA256:k1" || all[1].Who != "ada@build-7" || all[1].Added.IsZero() {
			t.Errorf("the signatures are %+v", all)
		}
		expectApplied(t, l, p.ID, false)

		lock, err := l.Lock(t.Context(), 0)
		must(t, err)
		r := begin(t, l, runs.KindApply)
		must(t, r.Plan(t.Context(), p, nil))
		expectApplied(t, l, p.ID, false)
		must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))
		must(t, lock.Unlock())
		expectApplied(t, l, p.ID, true)
	})
}

func expectApplied(t *testing.T, l *Ledger, plan string, want bool) {
	t.Helper()
	signed, err := l.SignedPlans(t.Context(), start)
	must(t, err)
	if got, ok := signed[plan]; !ok || got != want {
		t.Errorf("the signed plans are %v", signed)
	}
	signed, err = l.SignedPlans(t.Context(), start.Add(1000*time.Hour))
	must(t, err)
	if len(signed) != 0 {
		t.Errorf("the signed plans of later are %v", signed)
	}
}

// Signatures go with their plan.
func TestSignaturesAreForgottenWithTheirPlan(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		made := begin(t, l, runs.KindPlan)
		p := planOf(t, start, []string{"a"})
		must(t, made.Plan(t.Context(), p, nil))
		must(t, made.Finish(t.Context(), Ending{Status: StatusFinished}))
		must(t, l.Sign(t.Context(), p.ID, "SHA256:k1", []byte("s")))
		must(t, l.Forget(t.Context(), start.Add(1000*time.Hour)))
		if all, err := l.Signatures(t.Context(), p.ID); err != nil || len(all) != 0 {
			t.Errorf("the signatures are %+v, %v", all, err)
		}
	})
}
