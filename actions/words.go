package actions

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Age words a time span in its largest sensible unit, rounded down: "45s",
// "59m", "36h", "40d".
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Age(max(-d, 0)) // the smallest duration has no positive
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
}

// span words a setting exactly, as the configuration writes it: "1h30m", "14d".
func span(d time.Duration) string {
	days := d / (24 * time.Hour)
	rest := d % (24 * time.Hour)
	if days == 0 && rest == 0 {
		return "0s"
	}
	var b strings.Builder
	if days > 0 {
		fmt.Fprintf(&b, "%dd", days)
	}
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := rest / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.unit
		}
	}
	return b.String()
}

// Count words a number with its noun: "1 tag", "1,200 tags".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Thousands(n) + " " + noun
}

// Thousands words a number with commas: "1,200".
func Thousands(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// enumerate words a list: "a", "a and b", "a, b, c and 4 more".
func enumerate(names []string) string {
	const shown = 3
	switch n := len(names); {
	case n == 0:
		return "nobody"
	case n == 1:
		return names[0]
	case n > shown:
		return strings.Join(names[:shown], ", ") + " and " + strconv.Itoa(n-shown) + " more"
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// enumerateSorted words a list whose order means nothing.
func enumerateSorted(names []string) string {
	if !slices.IsSorted(names) {
		names = slices.Clone(names)
		slices.Sort(names)
	}
	return enumerate(names)
}
