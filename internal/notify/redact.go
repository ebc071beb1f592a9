package notify

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// redactor takes everything out of a text that a URL of a service has, but for the
// name of the service and, where it is one, of the server.
type redactor struct{ pieces []string }

// hidden stands where something was taken out.
const hidden = "***"

// servers are the schemes in whose URLs the host is a server, not a part of a token.
func servers() []string {
	return []string{"smtp", "http", "https", "generic"}
}

func newRedactor(raw string) redactor {
	pieces := map[string]bool{}
	add := func(s string, least int) {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if len(form) >= least {
				pieces[form] = true
			}
		}
	}
	// parts adds a text and what punctuation parts it into: services rebuild tokens.
	parts := func(s string) {
		add(s, 3)
		for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-_:,;@/.=+~!&?#% ", r) }) {
			add(part, 4)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		_, rest, found := strings.Cut(raw, "://")
		if !found {
			rest = raw
		}
		parts(rest)
	} else {
		scheme, _, _ := strings.Cut(u.Scheme, "+")
		if password, ok := u.User.Password(); ok {
			add(password, 1)
			parts(password)
		}
		parts(u.User.Username())
		parts(u.Opaque)
		parts(u.Fragment)
		for _, segment := range append(strings.Split(u.Path, "/"), strings.Split(u.EscapedPath(), "/")...) {
			parts(segment)
		}
		for pair := range strings.SplitSeq(u.RawQuery, "&") {
			_, value, _ := strings.Cut(pair, "=")
			parts(value)
		}
		for _, values := range u.Query() {
			for _, v := range values {
				parts(v)
			}
		}
		if !slices.Contains(servers(), strings.ToLower(scheme)) {
			parts(u.Host)
			parts(u.Hostname())
		}
		if u.Scheme == "" {
			parts(raw)
		}
	}
	r := redactor{}
	for p := range pieces {
		r.pieces = append(r.pieces, p)
	}
	// The longest first, so that no rest of one is left by a part of it.
	slices.SortFunc(r.pieces, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return r
}

// anyURL is a URL in a text: services quote the one they sent to.
var anyURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*:(?://|%2[fF]%2[fF])[^\s"']*`)

// text is one short line without anything of the URL.
func (r redactor) text(s string) string {
	s = anyURL.ReplaceAllString(strings.ToValidUTF8(s, "?"), hidden)
	if len(r.pieces) > 0 {
		quoted := make([]string, len(r.pieces))
		for i, p := range r.pieces {
			quoted[i] = regexp.QuoteMeta(strings.ToValidUTF8(p, "?"))
		}
		s = regexp.MustCompile("(?i:"+strings.Join(quoted, "|")+")").ReplaceAllString(s, hidden)
	}
	s = text.Clean(s)
	if utf8.RuneCountInString(s) > lineMax {
		s = string([]rune(s)[:lineMax-1]) + "…"
	}
	return s
}

// error is an error with the words of another one, and nothing else of it: what it
// wraps may have the URL.
func (r redactor) error(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(r.text(err.Error()))
}
