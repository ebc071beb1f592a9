package retry_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/retry"
)

var errFault = errors.New("a fault")

func TestAReadIsRepeated(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults int // tries that fail
		loop   retry.Loop
		again  bool
		tries  int
		err    error
		took   time.Duration
	}{
		{name: "not when it succeeds", loop: retry.Loop{Tries: 3}, tries: 1},
		{name: "until it succeeds", faults: 2, loop: retry.Loop{Tries: 3}, again: true, tries: 3, took: 2 * time.Second},
		{name: "until the tries are used up", faults: 9, loop: retry.Loop{Tries: 3}, again: true, tries: 3, err: errFault, took: 2 * time.Second},
		{name: "not after a fault that stays", faults: 9, loop: retry.Loop{Tries: 3}, tries: 1, err: errFault},
		{name: "while the pauses stay within the budget", faults: 9, loop: retry.Loop{Tries: 9, Budget: 2 * time.Second}, again: true, tries: 3, err: errFault, took: 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				read, before := 0, 0
				tt.loop.Again = func(err error, try int) (time.Duration, bool) {
					if !errors.Is(err, errFault) || try != read {
						t.Errorf("try %d of %d failed with %v", try, read, err)
					}
					return time.Second, tt.again
				}
				tt.loop.Before = func(error, int, time.Duration) { before++ }
				start := time.Now()
				tries, err := tt.loop.Do(t.Context(), func() error {
					if read++; read <= tt.faults {
						return errFault
					}
					return nil
				})
				if tries != tt.tries || read != tt.tries || before != tt.tries-1 || !errors.Is(err, tt.err) || time.Since(start) != tt.took {
					t.Errorf("%d tries, %d reads, %d notices, %v, after %s", tries, read, before, err, time.Since(start))
				}
			})
		})
	}
}

func TestTheCallerStopsTheLoop(t *testing.T) {
	stopped := errors.New("stopped")
	forever := retry.Loop{Tries: 5, Again: func(error, int) (time.Duration, bool) { return time.Hour, true }, Before: func(error, int, time.Duration) {}}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stopped) })
		start := time.Now()
		if tries, err := forever.Do(ctx, func() error { return errFault }); tries != 1 || !errors.Is(err, stopped) || time.Since(start) != time.Second {
			t.Errorf("in a pause: %d tries, %v, after %s", tries, err, time.Since(start))
		}
		if tries, err := forever.Do(ctx, func() error { return errFault }); tries != 1 || !errors.Is(err, stopped) {
			t.Errorf("after its end: %d tries, %v", tries, err)
		}
	})
}

func TestPausesGrowWithJitter(t *testing.T) {
	for try, longest := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second} {
		different := map[time.Duration]bool{}
		for range 100 {
			pause := retry.Pause(time.Second, try)
			if pause < longest/2 || pause > longest {
				t.Errorf("the pause after try %d is %s", try, pause)
			}
			different[pause] = true
		}
		if len(different) < 10 {
			t.Errorf("the pauses after try %d are always the same", try)
		}
	}
}

func TestRetryAfterIsReadAsSecondsOrByTheClockOfTheServer(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", -1}, {"soon", "", -1}, {"-5", "", -1}, {"0", "", 0}, {"7", "", 7 * time.Second},
		{at(9 * time.Second), "", 9 * time.Second},
		{at(-time.Hour), "", 0},
		{at(time.Hour), at(time.Hour - 4*time.Second), 4 * time.Second},
	} {
		if got := retry.After(http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}, now); got != tt.want {
			t.Errorf("%q at %q is %s, want %s", tt.value, tt.date, got, tt.want)
		}
	}
}
