package janitor

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestJudgingIsMeasured(t *testing.T) {
	s := newSetting(t, withoutFaults(), rules, 4)
	s.planner.Progress = new(Progress)
	if _, err := s.planner.Plan(t.Context(), s.scan(t, 4)); err != nil {
		t.Fatal(err)
	}
	if s.planner.Progress.Judging.Load() <= 0 {
		t.Error("judging took no time")
	}
}

// In a bubble of synctest the clock only advances while the program waits. Waiting is
// not judging.
func TestWaitingForTheRegistryIsNotJudging(t *testing.T) {
	world := withoutFaults()
	world.Settings.Latency = 20 * time.Millisecond
	s := newSetting(t, world, rules, 4)
	s.planner.Progress = new(Progress)
	synctest.Test(t, func(t *testing.T) {
		if _, err := s.planner.Plan(t.Context(), s.scan(t, 4)); err != nil {
			t.Fatal(err)
		}
	})
	if took := s.planner.Progress.Judging.Load(); took != 0 {
		t.Errorf("judging took %d ns of a clock that did not advance", took)
	}
}
