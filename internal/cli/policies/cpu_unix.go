//go:build unix

package policies

import (
	"syscall"
	"time"
)

// cpuClock shows how much CPU time the process has used, garbage collection
// included, or elapsed time if the system does not answer.
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
