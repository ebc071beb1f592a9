package propose

import (
	"strconv"
	"strings"
)

// page is a YAML file with comments, as it is written.
type page struct{ text strings.Builder }

// width is how long a line of a comment can be.
const width = 100

// line writes a line.
func (p *page) line(parts ...string) {
	for _, part := range parts {
		p.text.WriteString(part)
	}
	p.text.WriteByte('\n')
}

// comment writes words as a comment of lines of about the same length.
func (p *page) comment(indent, words string) {
	line := indent + "#"
	for _, word := range strings.Fields(words) {
		if len(line)+1+len(word) > width && line != indent+"#" {
			p.line(line)
			line = indent + "#"
		}
		line += " " + word
	}
	p.line(line)
}

// lists writes a list of texts: on one line if it fits, otherwise one entry a line.
func (p *page) list(indent, key string, texts []string) {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = strconv.QuoteToASCII(t) // its escapes are also those of YAML
	}
	if one := indent + key + ": [" + strings.Join(quoted, ", ") + "]"; len(one) <= width {
		p.line(one)
		return
	}
	p.line(indent, key, ":")
	for _, q := range quoted {
		p.line(indent, "  - ", q)
	}
}

// String is what was written.
func (p *page) String() string { return p.text.String() }

// single is a text in single quotes, as regular expressions are read best.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
