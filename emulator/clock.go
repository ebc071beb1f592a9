package emulator

import (
	"net/http"
	"time"
)

// clockOf is the only place that reads the wall clock, and only when the caller
// has no clock of its own.
func clockOf(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// wait lets d pass, or less when the client gives up: then it returns false.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// microseconds is the precision in which the API stores a time; it rounds.
func microseconds(t time.Time) int64 {
	return t.Round(time.Microsecond).UnixMicro()
}
