package notify

import (
	"cmp"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redactor removes everything from a text that the URL of a service contains,
// except the name of the service and of the server.
type redactor struct{ secrets *regexp.Regexp }

// hidden replaces what was removed.
const hidden = "***"

func newRedactor(raw string) redactor {
	s := secrets{}
	u, err := url.Parse(raw)
	if err != nil {
		_, rest, found := strings.Cut(raw, "://")
		if !found {
			rest = raw
		}
		s.add(rest)
	} else {
		s.addURL(u)
		if u.Scheme == "" {
			s.add(raw)
		}
	}
	return redactor{s.pattern()}
}

// secrets are the texts to remove.
type secrets map[string]bool

func (s secrets) addURL(u *url.URL) {
	if password, ok := u.User.Password(); ok {
		s.addWord(password, 1)
		s.add(password)
	}
	s.add(u.User.Username())
	s.add(u.Opaque)
	s.add(u.Fragment)
	for _, segment := range append(strings.Split(u.Path, "/"), strings.Split(u.EscapedPath(), "/")...) {
		s.add(segment)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		s.add(value)
	}
	for _, values := range u.Query() {
		for _, v := range values {
			s.add(v)
		}
	}
	// In these schemes the host is a server; in others it is part of a token.
	scheme, _, _ := strings.Cut(u.Scheme, "+")
	if !slices.Contains([]string{"smtp", "http", "https", "generic"}, strings.ToLower(scheme)) {
		s.add(u.Host)
		s.add(u.Hostname())
	}
}

// add adds a text, and the words between its punctuation: services rebuild tokens.
func (s secrets) add(text string) {
	s.addWord(text, 3)
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("-_:,;@/.=+~!&?#% ", r) }) {
		s.addWord(word, 4)
	}
}

// addWord adds a word of at least so many bytes, also as URLs encode it.
func (s secrets) addWord(word string, least int) {
	for _, form := range []string{word, url.QueryEscape(word), url.PathEscape(word)} {
		if len(form) >= least {
			s[regexp.QuoteMeta(strings.ToValidUTF8(form, "?"))] = true
		}
	}
}

// pattern matches every secret. The longest comes first, because a shorter one that
// is part of it would leave a rest.
func (s secrets) pattern() *regexp.Regexp {
	if len(s) == 0 {
		return nil
	}
	var all []string
	for secret := range s {
		all = append(all, secret)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return regexp.MustCompile("(?i:" + strings.Join(all, "|") + ")")
}

// anyURL is a URL in a text: services quote the one that they were called with.
var anyURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*:(?://|%2[fF]%2[fF])[^\s"']*`)

// text is one short line without secrets.
func (r redactor) text(s string) string {
	s = anyURL.ReplaceAllString(strings.ToValidUTF8(s, "?"), hidden)
	if r.secrets != nil {
		s = r.secrets.ReplaceAllString(s, hidden)
	}
	return line(s)
}

// error is an error with the redacted message of another one. It does not wrap it:
// the wrapped error may contain the URL.
func (r redactor) error(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(r.text(err.Error()))
}
