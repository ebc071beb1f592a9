package main

import (
	"sync"
	"time"
)

// clockFrom is a clock that shows exactly start when it is first looked at and
// then runs on, so that the demo is the same every day.
func clockFrom(start time.Time) func() time.Time {
	var mu sync.Mutex
	var began time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if began.IsZero() {
			began = time.Now()
			return start
		}
		return start.Add(time.Since(began))
	}
}

// stopwatch shows the time since it was made, by a clock that never jumps.
func stopwatch() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
