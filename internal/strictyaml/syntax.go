package strictyaml

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// yamlError matches the errors of the YAML library, which have no other way to give
// the line. For the first line they give none.
var yamlError = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// syntax reports an error of the YAML library. The library often stops behind the
// mistake, and sometimes before it: what the text itself shows comes first.
func (d *Document) syntax(data []byte, err error) {
	message, line := err.Error(), 1
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		// The library's parser, unlike its scanner, counts lines from 0.
		if strings.HasPrefix(message, "did not find expected") && !strings.Contains(message, "alphabetic") && m[1] != "" {
			line++
		}
	}
	s := scanSource(data)
	at, hint := s.diagnose(message, line)
	d.reportAt(at, "", fmt.Sprintf("is not valid YAML: %s", Clip(message)), cmp.Or(hint, "check the indentation, the quotes and the brackets"))
}

// diagnose finds where the mistake is, and how to mend it; without a remedy it is on
// the line that the library gave.
func (s *source) diagnose(message string, line int) (at place, hint string) {
	about := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(message, w) {
				return true
			}
		}
		return false
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		return s.find("*"+m[1], line), "quote a value that begins with *: " + Quote("*"+m[1])
	}
	if about("alphabetic or numeric character", "cannot start any token") {
		if at, value := s.reserved(line); value != "" {
			return at, fmt.Sprintf("quote a value that begins with %s: %s", value[:1], Quote(value))
		}
	}
	if about("tab", "cannot start any token", "did not find expected") {
		if at, ok := s.tab(line - 1); ok {
			return at, "indent with spaces: YAML allows no tabs there"
		}
	}
	switch {
	case s.quote != (place{}):
		return s.quote, "close the quote that opens here"
	case s.bracket != (place{}):
		return s.bracket, "close the bracket that opens here"
	case about("mapping values are not allowed", "expected key", "'-' indicator", "<document start>", "expected ':'"):
		if at, hint := s.misplaced(); hint != "" {
			return at, hint
		}
	}
	if m := secondColon.FindStringSubmatchIndex(s.line(line)); m != nil && about("mapping values are not allowed") {
		return s.at(line, m[2]), "quote a value that has a colon and a space in it"
	}
	return place{line, 1}, ""
}

// secondColon finds the value of a key that has another colon and space in it.
var secondColon = regexp.MustCompile(`^[^:]*: +([^ ].*: )`)

// source is the text of a file that is not YAML.
type source struct {
	lines   []string // without comments, and with quoted text blanked out
	nested  []bool   // whether the line begins inside of brackets or quotes
	quote   place    // where a quote opens that is never closed
	bracket place    // where a bracket opens that is never closed, or by another one
}

// scanSource reads quotes, brackets and comments only: enough for text that is nearly
// YAML.
func scanSource(data []byte) *source {
	s := &source{}
	var open []byte // brackets
	var opened []place
	var quote byte
	for n, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimSuffix(bytes.Clone(line), []byte("\r"))
		s.nested = append(s.nested, quote != 0 || len(open) > 0)
		here := place{n + 1, 0}
		for i := 0; i < len(line); i++ {
			c := line[i]
			here.column += runeStart(c)
			starts := i == 0 || bytes.IndexByte([]byte(" \t,[{:-"), line[i-1]) >= 0
			switch {
			case quote == '"' && c == '\\':
				line[i] = ' '
				if i++; i < len(line) {
					here.column += runeStart(line[i])
					line[i] = ' '
				}
				continue
			case quote != 0:
				if c == quote {
					quote, s.quote = 0, place{}
				}
				line[i] = 'x'
			case (c == '"' || c == '\'') && starts:
				quote, s.quote, line[i] = c, here, 'x'
			case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
				line = line[:i]
			case (c == '[' || c == '{') && (starts || len(open) > 0):
				open, opened = append(open, c), append(opened, here)
			case (c == ']' || c == '}') && len(open) > 0:
				last := len(open) - 1
				if s.bracket == (place{}) && (open[last] == '[') != (c == ']') {
					s.bracket = opened[last]
				}
				open, opened = open[:last], opened[:last]
			}
		}
		s.lines = append(s.lines, string(line))
	}
	if len(opened) > 0 && s.bracket == (place{}) {
		s.bracket = opened[len(opened)-1]
	}
	return s
}

// runeStart is 1 for the first byte of a character, and 0 for the others.
func runeStart(c byte) int {
	if utf8.RuneStart(c) {
		return 1
	}
	return 0
}

// line is the text of a line, from 1.
func (s *source) line(n int) string {
	if n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// at is the place of an offset in a line.
func (s *source) at(n, offset int) place {
	return place{n, 1 + utf8.RuneCountInString(s.lines[n-1][:offset])}
}

// find is the first place of a text outside of quotes and comments.
func (s *source) find(text string, line int) place {
	for i, l := range s.lines {
		if at := strings.Index(l, text); at >= 0 {
			return s.at(i+1, at)
		}
	}
	return place{line, 1}
}

var reservedValue = regexp.MustCompile("(?:^|[\\s,\\[{])([*&@`%][^\\s,\\]}]*)")

// reserved is a value on that line which begins with a character that YAML reserves.
func (s *source) reserved(line int) (place, string) {
	m := reservedValue.FindStringSubmatchIndex(s.line(line))
	if m == nil {
		return place{}, ""
	}
	return s.at(line, m[2]), s.line(line)[m[2]:m[3]]
}

// tab is the first tab that indents a line, from that line on.
func (s *source) tab(from int) (place, bool) {
	for i := max(0, from-1); i < len(s.lines); i++ {
		l := s.lines[i]
		indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && len(indent) < len(l) && !s.nested[i] {
			return place{i + 1, at + 1}, true
		}
	}
	return place{}, false
}

// block is a mapping or a list that a line opens by its indentation.
type block struct {
	indent, line int
	list         bool
}

// misplaced is the first line whose indentation fits none of the lines above.
func (s *source) misplaced() (place, string) {
	var open []block
	opens := true // what is deeper may follow the line above
	for i, l := range s.lines {
		content := strings.TrimLeft(l, " ")
		if content == "" || s.nested[i] {
			continue
		}
		b := block{len(l) - len(content), i + 1, isEntry(content)}
		outer := b.within(open)
		fits := len(outer) > 0 && outer[len(outer)-1].indent == b.indent
		if !fits && (!opens || len(outer) < len(open)) {
			return s.misfit(b, open)
		}
		if !fits || b.list && !outer[len(outer)-1].list {
			outer = append(outer, b)
		}
		for b.list { // an entry may open a mapping, or another list
			rest := strings.TrimLeft(content[1:], " ")
			b.indent, b.list, content = b.indent+len(content)-len(rest), isEntry(rest), rest
			if rest != "" {
				outer = append(outer, b)
			}
		}
		open, opens = outer, content == "" || strings.HasSuffix(strings.TrimRight(content, " "), ":")
	}
	return place{}, ""
}

func isEntry(content string) bool { return content == "-" || strings.HasPrefix(content, "- ") }

// within are the open blocks that the line of b does not close.
func (b block) within(open []block) []block {
	for n := len(open); n > 0; n-- {
		last := open[n-1]
		if last.indent < b.indent || last.indent == b.indent && (b.list || !last.list) {
			return open[:n:n]
		}
	}
	return nil
}

// misfit is the remedy for a line at the wrong indentation: that of the nearest block
// of the same kind.
func (s *source) misfit(b block, open []block) (place, string) {
	best := block{indent: -1}
	for _, o := range open {
		if o.list == b.list && (best.indent < 0 || apart(o, b) <= apart(best, b)) {
			best = o
		}
	}
	hint := "give all lines of one level the same number of spaces"
	if best.indent >= 0 {
		hint = fmt.Sprintf("the line is indented by %s; line %d, which it most likely belongs to, by %d", text.Count(b.indent, "space"), best.line, best.indent)
	}
	return place{b.line, b.indent + 1}, hint
}

func apart(a, b block) int { return max(a.indent-b.indent, b.indent-a.indent) }

// blanks are spaces that look like one and are none to YAML, where it needs a plain
// one: in the indentation, after a dash and after a colon.
var blanks = regexp.MustCompile(`^(?: *(?:- +)*)(?:[A-Za-z0-9_"']+:(?: *))?(?:-)?([\x{00a0}\x{2000}-\x{200b}\x{202f}\x{205f}\x{3000}])`)

// blameBlanks replaces the problems of a document by their cause, if there are no-break
// spaces in place of plain ones: what YAML makes of them explains nothing.
func (d *Document) blameBlanks(data []byte) {
	if len(d.problems) == 0 {
		return
	}
	s := scanSource(data)
	var found Problems
	for i, l := range s.lines {
		if m := blanks.FindStringSubmatchIndex(l); m != nil && !s.nested[i] {
			r, _ := utf8.DecodeRuneInString(l[m[2]:])
			found = append(found, d.problemAt(place{i + 1, 1 + utf8.RuneCountInString(l[:m[2]])}, "",
				fmt.Sprintf("has a no-break space (%U), which YAML does not take for a space", r), "replace it by a plain space; it often comes with text that was copied from a page"))
		}
	}
	if len(found) > 0 {
		d.problems, d.closed = found, true
	}
}

func placeAt(data []byte, offset int) place {
	return place{1 + bytes.Count(data[:offset], []byte("\n")), 1 + utf8.RuneCount(data[bytes.LastIndexByte(data[:offset], '\n')+1:offset])}
}
