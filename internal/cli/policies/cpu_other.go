//go:build !unix

package policies

import "time"

// cpuClock shows elapsed time where the system does not count CPU time: other
// programs on the machine distort it.
func cpuClock() func() time.Duration { return stopwatch() }
