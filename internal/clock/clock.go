// Package clock is the one place that reads the clock and waits. Everything else
// takes the time, or a func() time.Time, from its caller.
//
// It must never decide how long to wait: that is the caller's business.
package clock

import (
	"context"
	"time"
)

// Now is the wall clock. It is also monotonic: the difference of two readings is
// right when the clock of the machine is set in between.
func Now() time.Time { return time.Now() }

// Sleep waits, and returns the cause of the context's end when that comes first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
