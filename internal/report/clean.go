package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
)

// clean makes text from the registry or from a policy safe to print: whatever
// does not show itself (control characters, escape sequences, line breaks, marks
// that turn the direction of writing) is written as its escape.
func clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteString(s[i : i+size])
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// age words how long something lies back.
func age(d time.Duration) string { return actions.Age(d) }

// size words a number of bytes in powers of a thousand, as storage is billed.
func size(bytes uint64) string {
	const units = "kMGTPE"
	if bytes < 1000 {
		return strconv.FormatUint(bytes, 10) + " B"
	}
	value, unit := float64(bytes), -1
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	digits := 0
	if value < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + units[unit:unit+1] + "B"
}

// Clean is a text from elsewhere on one line, safe to print: whatever does not show
// itself is written as its escape.
func Clean(s string) string { return clean(s) }
