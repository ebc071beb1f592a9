//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuClock shows how much CPU time the process has used, that of its garbage
// collector included. Where the system does not say, elapsed time has to do.
func cpuClock() func() time.Duration {
	elapsed := stopwatch()
	return func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return elapsed()
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
}
