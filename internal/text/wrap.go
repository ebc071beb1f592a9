package text

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks text between words into lines. The first has at most so many
// characters, and each of the others at most rest. A word that is longer has a line
// of its own, so that a name can be copied.
func Wrap(s string, first, rest int) []string {
	var lines []string
	var line strings.Builder
	width, length := first, 0
	for i, word := range strings.Split(s, " ") {
		n := Width(word)
		switch {
		case i > 0 && length+1+n > width:
			lines = append(lines, strings.TrimRight(line.String(), " "))
			line.Reset()
			width, length = rest, 0
		case i > 0:
			line.WriteByte(' ')
			length++
		}
		line.WriteString(word)
		length += n
	}
	return append(lines, line.String())
}

// Width is the number of characters that a text takes on a terminal; the escapes of
// Color take none.
func Width(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return n
		}
		end := strings.IndexByte(s[i:], 'm')
		if end < 0 {
			return n
		}
		n -= end + 1
		s = s[i+end+1:]
	}
}
