// Package text has the words for people that every report and message shares:
// counts, sizes, ages, lists, and the name that a misspelled word probably means.
//
// It must never decide anything, or contain a noun of the registry.
package text

import (
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/dustin/go-humanize"
)

// Count is a number with its noun: "1 tag", "1,200 tags".
func Count(n int, noun string) string {
	return Thousands(n) + " " + Choose(n, noun, noun+"s")
}

// Choose is one for a single thing, and many for any other number:
// Choose(n, "is", "are").
func Choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Thousands is a number with commas: "1,200".
func Thousands(n int) string { return humanize.Comma(int64(n)) }

// Size is a number of bytes in powers of a thousand, as storage is billed:
// "1.8 GB", "120 MB".
func Size(bytes uint64) string { return humanize.Bytes(bytes) }

// List joins words with a conjunction: "a", "a or b", "a, b or c".
func List(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}

// Some lists at most three names in alphabetical order, and counts the rest:
// "a and b", "a, b, c and 4 more".
func Some(names []string) string {
	const shown = 3
	if !slices.IsSorted(names) {
		names = slices.Sorted(slices.Values(names))
	}
	if rest := len(names) - shown; rest > 0 {
		names = append(slices.Clone(names[:shown]), strconv.Itoa(rest)+" more")
	}
	return List(names, "and")
}

// Nearest is the known word that a misspelled one probably means, and "" when none
// is near. Case and the separators -, _ and space do not count, and letters in the
// wrong order count as one mistake.
func Nearest(word string, known []string) string {
	best, least := "", (len(word)+2)/3+1
	for _, k := range known {
		d := levenshtein.ComputeDistance(plain(word), plain(k))
		if d == 2 && letters(word) == letters(k) {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// letters are those of a word in alphabetical order.
func letters(s string) string { return string(slices.Sorted(slices.Values([]byte(plain(s))))) }

// plain makes olderThan, older-than and older_than the same.
func plain(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}
