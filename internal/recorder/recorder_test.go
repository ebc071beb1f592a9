package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("janitor.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOneRunAppliesAtATime(t *testing.T) {
	c := parse(t, fmt.Sprintf("timezone: Asia/Tokyo\nledger: {dsn: %q}\n", filepath.Join(t.TempDir(), "ledger.db")))
	start := func(kind runs.Kind) (*recorder.Recorder, error) {
		return recorder.Start(t.Context(), c, ledger.RunInfo{Kind: kind}, recorder.Options{Who: "me"})
	}
	first, err := start(runs.KindApply)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := start(runs.KindApply); !errors.Is(err, ledger.ErrLocked) {
		t.Errorf("a second run that applies: %v", err)
	}
	for trigger, remedy := range map[string]bool{runs.TriggerCommand: true, "nightly": false} {
		none := func(context.Context, *ledger.Ledger) error { return nil }
		err := recorder.UnderLock(t.Context(), c, recorder.Options{Trigger: trigger}, none)
		if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), "has locked the ledger: me since ") || !strings.Contains(err.Error(), " JST") || strings.Contains(err.Error(), "--lock-timeout") != remedy {
			t.Errorf("%s: %v", trigger, err)
		}
	}
	plan, err := start(runs.KindPlan)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*recorder.Recorder{plan, first} {
		if err := r.Finish(t.Context(), ledger.Ending{Status: ledger.StatusFinished}); err != nil {
			t.Error(err)
		}
	}
	none := func(context.Context, *ledger.Ledger) error { return nil }
	if err := recorder.UnderLock(t.Context(), c, recorder.Options{}, none); err != nil {
		t.Errorf("after both have ended: %v", err)
	}
}

func TestABugGivesTheLockBack(t *testing.T) {
	c, o := parse(t, ""), recorder.Options{State: recorder.State{Dir: t.TempDir()}}
	err := recorder.UnderLock(t.Context(), c, o, func(context.Context, *ledger.Ledger) error { panic("out of cheese") })
	if !errors.As(err, new(*bug.Error)) {
		t.Errorf("a panic becomes %v", err)
	}
	if err := recorder.UnderLock(t.Context(), c, o, func(ctx context.Context, _ *ledger.Ledger) error { return ctx.Err() }); err != nil {
		t.Error(err)
	}
}

func TestWithoutALedgerOnlyApplyRecords(t *testing.T) {
	c, o := parse(t, ""), recorder.Options{State: recorder.State{Dir: t.TempDir()}}
	plan, err := recorder.Start(t.Context(), c, ledger.RunInfo{Kind: runs.KindPlan}, o)
	if plan != nil || err != nil || plan.Place() != (recorder.Place{}) {
		t.Errorf("a plan is recorded: %v, %v", plan, err)
	}
	apply, err := recorder.Start(t.Context(), c, ledger.RunInfo{Kind: runs.KindApply}, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(recorder.Place{Run: "1", Ledger: o.State.Ledger(), InStateDir: true}, apply.Place()); diff != "" {
		t.Error(diff)
	}
	if err := apply.Finish(t.Context(), ledger.Ending{Status: ledger.StatusFinished}); err != nil {
		t.Error(err)
	}
}
