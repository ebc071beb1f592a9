package apply

import (
	"context"
	"time"
)

// wallClock is the clock of an Apply that was given none.
func wallClock() time.Time { return time.Now() }

// monotonic is the time by which a deletion is watched. It is not
// ApplyOptions.Now: that one may be pinned, and a pinned clock would never let a
// wait end.
func monotonic() time.Time { return time.Now() }

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
