package janitor

import "time"

// wallClock is the time where the caller gives none.
func wallClock() time.Time { return time.Now() }

// startOfPass is the time that a pass goes by: cut to the microsecond, as the
// API's own times are.
func startOfPass(now func() time.Time) time.Time { return now().UTC().Truncate(time.Microsecond) }

// stopwatch shows the time since it was made, by a clock that never jumps.
func stopwatch() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
