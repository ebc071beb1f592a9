package text

import (
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Age is a time span in its largest sensible unit, rounded down: "45s", "59m",
// "36h", "40d".
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Age(max(-d, 0)) // the smallest duration has no positive
	case d < time.Minute:
		return whole(d, time.Second, "s")
	case d < 2*time.Hour:
		return whole(d, time.Minute, "m")
	case d < 2*day:
		return whole(d, time.Hour, "h")
	default:
		return whole(d, day, "d")
	}
}

// Exact is a setting as the configuration writes it: "1h30m", "14d", "0s".
func Exact(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= u.unit {
			b.WriteString(whole(d, u.unit, u.name))
			d %= u.unit
		}
	}
	return b.String()
}

// Elapsed is how long something took, in its two largest units: "120 ms",
// "1.5 s", "5 min 2 s", "2 d 4 h".
func Elapsed(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Elapsed(max(-d, 0))
	case d < time.Second:
		return whole(d, time.Millisecond, " ms")
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return whole(d, time.Second, " s")
	case d < time.Hour:
		return pair(d, time.Minute, " min", time.Second, " s")
	case d < 2*day:
		return pair(d, time.Hour, " h", time.Minute, " min")
	default:
		return pair(d, day, " d", time.Hour, " h")
	}
}

func pair(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	s := whole(d, large, largeName)
	if d%large >= small {
		s += " " + whole(d%large, small, smallName)
	}
	return s
}

func whole(d, unit time.Duration, name string) string {
	return strconv.FormatInt(int64(d/unit), 10) + name
}
