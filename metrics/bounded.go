package metrics

import (
	"slices"
	"strings"
)

// other is the value that the labels beyond the limit share.
const other = "other"

// bounded is a label with values from users, of which it admits a limited number.
type bounded struct {
	max   int
	known map[string]bool
}

// renew admits these values. Values that are gone make room, and values that were
// admitted before stay, so that no series changes its name because of a new one.
func (b *bounded) renew(values []string) {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	known := map[string]bool{}
	for _, v := range values {
		if b.known[v] {
			known[v] = true
		}
	}
	b.known = known
	for _, v := range values {
		b.admit(v)
	}
}

// admit admits a value, if there is room.
func (b *bounded) admit(value string) {
	if b.known == nil {
		b.known = map[string]bool{}
	}
	if len(b.known) < b.max {
		b.known[value] = true
	}
}

// has reports whether a value is admitted.
func (b *bounded) has(value string) bool { return b.known[value] }

// label is the value of the label: other if the value is not admitted.
func (b *bounded) label(value string) string {
	if b.known[value] {
		return validUTF8(value)
	}
	return other
}

// validUTF8 makes text valid UTF-8, which labels require.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
