package kube

import "time"

// until is how long it is until then.
func until(then time.Time) time.Duration { return time.Until(then) }
