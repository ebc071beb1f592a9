package emulator

import "strings"

// suggest is the hint for a word that is none of the known ones.
func suggest(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "one of " + strings.Join(known, ", ")
}

// nearest returns the known word of which word may be a misspelling, or "".
func nearest(word string, known []string) string {
	best, found := 3, ""
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < best && d < len(k) {
			best, found = d, k
		}
	}
	return found
}

// distance is the number of letters to change, add or remove.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
