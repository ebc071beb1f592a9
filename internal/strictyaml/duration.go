package strictyaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Duration is a length of time as an operator writes it: 14d, 1h30m. The zero
// value is 0s.
type Duration struct {
	length time.Duration
	text   string // as written
}

// day is always 24 hours; calendar days are the business of calendar buckets.
const day = 24 * time.Hour

// units stand largest first, the order in which they may be combined.
var units = []struct {
	name   string
	length time.Duration
}{
	{"y", 365 * day}, {"mo", 30 * day}, {"w", 7 * day}, {"d", day},
	{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// ParseDuration reads whole numbers with units, combined largest first and each
// at most once: 500ms, 90m, 14d, 1d12h. A day is 24 hours, a week 7 days, a month
// 30 days, a year 365 days. Anything else is an error, never zero.
func ParseDuration(s string) (Duration, error) {
	if s == "" {
		return Duration{}, fmt.Errorf("is empty")
	}
	if s[0] == '-' {
		return Duration{}, fmt.Errorf("%q is negative", Clip(s))
	}
	var total time.Duration
	next := 0 // the largest unit that may follow
	for rest := s; rest != ""; {
		number, unit, tail := cutPart(rest)
		rest = tail
		if number == "" {
			return Duration{}, fmt.Errorf("%q needs a whole number before each unit", Clip(s))
		}
		if unit == "" {
			return Duration{}, fmt.Errorf("%q has no unit after %s", Clip(s), Clip(number))
		}
		if unit[0] == '.' || unit[0] == ',' {
			return Duration{}, fmt.Errorf("%q has a fraction", Clip(s))
		}
		i := unitIndex(unit)
		if i < 0 {
			return Duration{}, fmt.Errorf("%q has the unknown unit %q", Clip(s), Clip(unit))
		}
		if i < next {
			return Duration{}, fmt.Errorf("%q has its units out of order: largest first, each once", Clip(s))
		}
		next = i + 1
		part, ok := times(number, units[i].length)
		if !ok || part > math.MaxInt64-total {
			return Duration{}, fmt.Errorf("%q is longer than 292 years", Clip(s))
		}
		total += part
	}
	return Duration{length: total, text: s}, nil
}

// MustDuration is for durations that are written in this program.
func MustDuration(s string) Duration {
	d, err := ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Duration is the length.
func (d Duration) Duration() time.Duration { return d.length }

// Seconds is the length in seconds.
func (d Duration) Seconds() float64 { return d.length.Seconds() }

// String is the duration as it was written; nothing is always 0s.
func (d Duration) String() string {
	if d.length == 0 {
		return "0s"
	}
	return d.text
}

// Words spells the duration as it was written: "14 days", "1 hour 30 minutes".
func (d Duration) Words() string {
	names := map[string]string{"y": "year", "mo": "month", "w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}
	var parts []string
	for rest := d.String(); rest != ""; {
		number, unit, tail := cutPart(rest)
		rest = tail
		n, err := strconv.Atoi(number)
		if err != nil || names[unit] == "" {
			return d.String()
		}
		if n > 0 || d.Duration() == 0 {
			parts = append(parts, strconv.Itoa(n)+" "+text.Choose(n, names[unit], names[unit]+"s"))
		}
	}
	return strings.Join(parts, " ")
}

// UnmarshalText reads a duration from JSON.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// Equal reports whether both are of the same length, however they are written.
func (d Duration) Equal(other Duration) bool { return d.length == other.length }

// cutPart cuts digits and what follows them up to the next digit.
func cutPart(s string) (number, unit, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	j := i
	for j < len(s) && !isDigit(s[j]) {
		j++
	}
	return s[:i], s[i:j], s[j:]
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func unitIndex(name string) int {
	for i, u := range units {
		if u.name == name {
			return i
		}
	}
	return -1
}

// times multiplies, and reports whether the product fits.
func times(digits string, unit time.Duration) (time.Duration, bool) {
	most := math.MaxInt64 / int64(unit)
	var n int64
	for i := range len(digits) {
		digit := int64(digits[i] - '0')
		if n > (most-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return time.Duration(n) * unit, true
}
