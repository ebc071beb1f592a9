package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// escape makes text safe in Markdown, also in a table: nothing in it is markup, a
// link, a reference to an issue, or a mention of a person. GitHub and GitLab look
// for references and mentions in the rendered text, so that a character reference
// does not stop them; a space without width does.
func escape(s string) string { return escapeMarkup(s, breakReference) }

// code is text in the type of code, where references and mentions do nothing.
func code(s string) string {
	return "<code>" + escapeMarkup(s, func(string, int) bool { return false }) + "</code>"
}

// noWidth separates a sign from what would make it a reference.
const noWidth = "&#8203;"

func escapeMarkup(s string, breaks func(s string, end int) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if entity := entityOf(s[i], s[i+1:]); entity != "" {
			b.WriteString(entity)
		} else {
			b.WriteByte(s[i])
		}
		if breaks(s, i+1) {
			b.WriteString(noWidth)
		}
	}
	return b.String()
}

// entityOf is the character reference of what Markdown or HTML could take for
// markup before what follows, and "" of everything else.
func entityOf(c byte, follows string) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	}
	if strings.IndexByte("|`*_[]@#~\\!$", c) >= 0 || c == ':' && strings.HasPrefix(follows, "//") {
		return "&#" + strconv.Itoa(int(c)) + ";"
	}
	return ""
}

// breakReference reports whether the text up to end, with what follows, begins a
// reference or a link.
func breakReference(s string, end int) bool {
	next, _ := utf8.DecodeRuneInString(s[end:])
	switch s[end-1] {
	case '@', '#', '!', '$', '&', '%', '~', '^':
		return unicode.IsLetter(next) || unicode.IsDigit(next) || next == '"' || next == '_'
	case ':':
		return strings.HasPrefix(s[end:], "//")
	case 'w', 'W':
		return next == '.' && end >= 3 && strings.EqualFold(s[end-3:end], "www")
	case '-': // GH-12
		return unicode.IsDigit(next) && end >= 3 && strings.EqualFold(s[end-3:end], "gh-")
	}
	return false
}

// textMax and nameMax bound, in characters, what is shown of one text or name, so
// that it cannot push everything else out.
const (
	textMax = 500
	nameMax = 400
)

// short is the beginning of a text, and how much is left out.
func short(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return string(runes[:most]) + "… (" + text.Count(len(runes)-most, "more character") + ")"
}

// name is a name or a reference in the type of code.
func name(s string) string { return code(short(s, nameMax)) }

// prose is a text in words.
func prose(s string) string { return escape(short(s, textMax)) }
