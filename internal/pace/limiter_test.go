package pace

import (
	"math"
	"testing"
	"time"
)

func TestLimiterCutsOncePerWindow(t *testing.T) {
	var l Limiter
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 100 {
		l.Accepted(start, start)
	}
	limit := func(when string, want float64) {
		t.Helper()
		if got := float64(l.rate.Limit()); math.Abs(got-want) > 0.01 {
			t.Errorf("%s: cut to %v, want %v", when, got, want)
		}
	}
	l.Refused(start, start.Add(20*time.Millisecond), -1)
	limit("the first refusal", 90)
	for range 15 { // they were on their way
		l.Refused(start.Add(time.Millisecond), start.Add(21*time.Millisecond), -1)
	}
	limit("the others of that window", 90)
	l.Refused(start.Add(time.Second), start.Add(1020*time.Millisecond), -1)
	limit("a second window without an accepted request only waits longer", 90)
	l.Refused(start.Add(3*time.Second), start.Add(3020*time.Millisecond), -1)
	limit("a third", 81)
	l.Accepted(start.Add(4*time.Second), start.Add(4020*time.Millisecond))
	l.Refused(start.Add(5*time.Second), start.Add(5020*time.Millisecond), -1)
	if got := float64(l.rate.Limit()); got < 72 || got > 77 {
		t.Errorf("a refusal after an accepted request: cut to %v", got)
	}
}
