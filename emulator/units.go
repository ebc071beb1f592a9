package emulator

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	durationHint = "such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h"
	sizeHint     = "such as 120MB, 1.5GiB or 1048576"
)

// unit is a suffix of a number and what it multiplies by.
type unit struct {
	name  string
	times float64
}

// durationUnits, largest first: a month is 30 days and a year 365, so that a
// duration means the same on every day.
func durationUnits() []unit {
	const day = 24 * time.Hour
	return []unit{
		{"y", float64(365 * day)}, {"mo", float64(30 * day)}, {"w", float64(7 * day)}, {"d", float64(day)},
		{"h", float64(time.Hour)}, {"m", float64(time.Minute)}, {"s", float64(time.Second)}, {"ms", float64(time.Millisecond)},
	}
}

// sizeUnits are the decimal and the binary multiples of a byte.
func sizeUnits() []unit {
	return []unit{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
}

// parseDuration reads an optional sign and then whole numbers with units, each
// unit once and smaller than the one before. A plain 0 is the only number that
// needs no unit.
func parseDuration(text string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	if rest == "0" {
		return 0, nil
	}
	units := durationUnits()
	var total int64
	for first := true; rest != "" || first; first = false {
		digits := leading(rest, "0123456789")
		name := leading(rest[len(digits):], "ymowdhs")
		if digits == "" {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		if name == "" {
			return 0, fmt.Errorf("%q has no unit", text)
		}
		at := indexUnit(units, name)
		if at < 0 {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		times := int64(units[at].times)
		if err != nil || number > (math.MaxInt64-total)/times {
			return 0, fmt.Errorf("%q is too long a duration", text)
		}
		total += number * times
		units = units[at+1:]
		rest = rest[len(digits)+len(name):]
	}
	if negative {
		total = -total
	}
	return time.Duration(total), nil
}

// parseSize reads a number of bytes, with or without a unit.
func parseSize(text string) (Size, error) {
	digits := leading(text, "0123456789.")
	at := indexUnit(sizeUnits(), strings.TrimSpace(text[len(digits):]))
	number, err := strconv.ParseFloat(digits, 64)
	if at < 0 || err != nil {
		return 0, fmt.Errorf("%q is no size", text)
	}
	bytes := number * sizeUnits()[at].times
	switch {
	case bytes >= math.MaxInt64:
		return 0, fmt.Errorf("%q is too large a size", text)
	case bytes != math.Trunc(bytes):
		return 0, errors.New(strconv.Quote(text) + " is no whole number of bytes")
	}
	return Size(bytes), nil
}

func leading(s, set string) string {
	return s[:len(s)-len(strings.TrimLeft(s, set))]
}

func indexUnit(units []unit, name string) int {
	for i, u := range units {
		if u.name == name {
			return i
		}
	}
	return -1
}
