package strictyaml

import (
	"errors"
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

// day is always 24 hours: calendar days are for calendar buckets.
const day = 24 * time.Hour

// units are in the order in which a duration combines them: largest first.
var units = []struct {
	name, word string
	length     time.Duration
}{
	{"y", "year", 365 * day}, {"mo", "month", 30 * day}, {"w", "week", 7 * day}, {"d", "day", day},
	{"h", "hour", time.Hour}, {"m", "minute", time.Minute}, {"s", "second", time.Second}, {"ms", "millisecond", time.Millisecond},
}

// ParseDuration reads whole numbers with units, combined largest first and each at
// most once: 500ms, 90m, 14d, 1d12h. A day is 24 hours, a week 7 days, a month 30
// days, a year 365 days. Anything else is an error, never zero.
func ParseDuration(s string) (Duration, error) {
	if s == "" {
		return Duration{}, errors.New("is empty")
	}
	if s[0] == '-' {
		return Duration{}, fmt.Errorf("%q is negative", Clip(s))
	}
	var total time.Duration
	next := 0 // the largest unit that may follow
	for rest := s; rest != ""; {
		var number, unit string
		number, unit, rest = cutPart(rest)
		i := unitIndex(unit)
		switch {
		case number == "":
			return Duration{}, fmt.Errorf("%q needs a whole number before each unit", Clip(s))
		case unit == "":
			return Duration{}, fmt.Errorf("%q has no unit after %s", Clip(s), Clip(number))
		case unit[0] == '.' || unit[0] == ',':
			return Duration{}, fmt.Errorf("%q has a fraction", Clip(s))
		case i < 0:
			return Duration{}, fmt.Errorf("%q has the unknown unit %q", Clip(s), Clip(unit))
		case i < next:
			return Duration{}, fmt.Errorf("%q has its units out of order: largest first, each once", Clip(s))
		}
		next = i + 1
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n > int64((math.MaxInt64-total)/units[i].length) {
			return Duration{}, fmt.Errorf("%q is longer than 292 years", Clip(s))
		}
		total += time.Duration(n) * units[i].length
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

// String is the duration as it was written, and 0s for any zero.
func (d Duration) String() string {
	if d.length == 0 {
		return "0s"
	}
	return d.text
}

// Words spells the duration as it was written: "14 days", "1 hour 30 minutes".
func (d Duration) Words() string {
	var parts []string
	for rest := d.String(); rest != ""; {
		var number, unit string
		number, unit, rest = cutPart(rest)
		n, _ := strconv.Atoi(number) // ParseDuration has read it
		if n > 0 || d.length == 0 {
			word := units[unitIndex(unit)].word
			parts = append(parts, strconv.Itoa(n)+" "+text.Choose(n, word, word+"s"))
		}
	}
	return strings.Join(parts, " ")
}

// UnmarshalText reads a duration from JSON.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// Equal reports whether both have the same length, however they are written.
func (d Duration) Equal(other Duration) bool { return d.length == other.length }

// cutPart cuts digits, and what follows them up to the next digit.
func cutPart(s string) (number, unit, rest string) {
	const digits = "0123456789"
	rest = strings.TrimLeft(s, digits)
	number = s[:len(s)-len(rest)]
	if i := strings.IndexAny(rest, digits); i >= 0 {
		return number, rest[:i], rest[i:]
	}
	return number, rest, ""
}

func unitIndex(name string) int {
	for i, u := range units {
		if u.name == name {
			return i
		}
	}
	return -1
}
