package metrics

import (
	"slices"
	"strings"
)

// other is the value that labels beyond their bound share.
const other = "other"

// bounded is a label whose values come from users.
type bounded struct {
	max   int
	known map[string]bool
}

// renew makes room for these values: those that are gone lose their place, those
// that have one keep it, so that no series changes its name for another's sake.
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

// admit gives a value a place of its own, if there is one.
func (b *bounded) admit(value string) {
	if b.known == nil {
		b.known = map[string]bool{}
	}
	if len(b.known) < b.max {
		b.known[value] = true
	}
}

// has says whether a value has a place of its own.
func (b *bounded) has(value string) bool { return b.known[value] }

// label is the value as the label has it.
func (b *bounded) label(value string) string {
	if b.known[value] {
		return clean(value)
	}
	return other
}

// clean makes text fit for a label, whose values must be UTF-8.
func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
