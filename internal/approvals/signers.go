package approvals

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Signers are those who may approve, as a file of allowed signers has them.
type Signers struct{ entries []entry }

// entry is one line of the file.
type entry struct {
	line        int
	principals  []string // patterns
	key         ssh.PublicKey
	namespaces  []string  // patterns; an empty list means every namespace
	after, till time.Time // zero without
}

// ParseSigners reads a file of allowed signers: principals, options, a key type, a key and
// a comment on each line. Times without Z are in the time zone of this machine, as for
// ssh-keygen. The error names the line.
func ParseSigners(data []byte) (*Signers, error) {
	s := &Signers{}
	var problems []error
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		e, err := parseEntry(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		e.line = i + 1
		s.entries = append(s.entries, e)
	}
	if len(problems) == 0 && len(s.entries) == 0 {
		return nil, errors.New("it has no key: write a line for each approver, such as: ana@example.com ssh-ed25519 AAAA…")
	}
	return s, errors.Join(problems...)
}

func parseEntry(line string) (e entry, err error) {
	principals, rest := cutPrincipals(line)
	for _, p := range strings.Split(principals, ",") {
		switch {
		case p == "":
			return e, errors.New("a principal is empty: separate principals by one comma, without spaces")
		case strings.HasPrefix(p, "!"):
			return e, fmt.Errorf("the principal %s is negated, which is not a name: write the principals of the key", p)
		}
		e.principals = append(e.principals, p)
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return e, errors.New("it has no valid key: write principals, options, the type of the key and the key, such as: ana@example.com ssh-ed25519 AAAA…")
	}
	if strings.Contains(key.Type(), "-cert-") {
		return e, errors.New("it is a certificate: write the key that signs")
	}
	e.key = key
	for _, option := range options {
		if err := e.set(option); err != nil {
			return e, err
		}
	}
	return e, nil
}

// cutPrincipals cuts the first field, which may be in quotes.
func cutPrincipals(line string) (principals, rest string) {
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		principals, rest, _ = strings.Cut(quoted, `"`)
		return principals, strings.TrimSpace(rest)
	}
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimSpace(line[i:])
}

// set reads one option of a line.
func (e *entry) set(option string) (err error) {
	name, value, _ := strings.Cut(option, "=")
	value = strings.Trim(value, `"`)
	switch strings.ToLower(name) {
	case "namespaces":
		if value == "" {
			return errors.New("namespaces has no value: write namespaces=\"" + Namespace + "\", or leave it out")
		}
		e.namespaces = strings.Split(value, ",")
	case "valid-after":
		e.after, err = parseTime(value)
	case "valid-before":
		e.till, err = parseTime(value)
	case "cert-authority":
		return errors.New("cert-authority is not supported: write a line for the key of each approver")
	default:
		return fmt.Errorf("the option %q is unknown: namespaces, valid-after and valid-before are known", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parseTime reads YYYYMMDD[HHMM[SS]][Z].
func parseTime(text string) (time.Time, error) {
	digits, zone := text, time.Local
	if utc, ok := strings.CutSuffix(strings.ToUpper(text), "Z"); ok {
		digits, zone = utc, time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(layout) == len(digits) {
			return time.ParseInLocation(layout, digits, zone)
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: write YYYYMMDD or YYYYMMDDHHMMSS, with Z for UTC", text)
}

// allows is why the entry does not allow a signature at a time; nil if it does. The ends
// count, as for ssh-keygen.
func (e *entry) allows(now time.Time) error {
	switch {
	case len(e.namespaces) > 0 && !matchesList(e.namespaces, Namespace):
		return fmt.Errorf("line %d allows the key only for the namespaces %s", e.line, strings.Join(e.namespaces, ","))
	case !e.after.IsZero() && now.Before(e.after):
		return fmt.Errorf("line %d allows the key only from %s on", e.line, e.after.UTC().Format(time.RFC3339))
	case !e.till.IsZero() && now.After(e.till):
		return fmt.Errorf("line %d allowed the key only until %s", e.line, e.till.UTC().Format(time.RFC3339))
	}
	return nil
}

// principalsOf are the principals whose key it is at a time, or why there are none.
func (s *Signers) principalsOf(key ssh.PublicKey, now time.Time) ([]string, error) {
	var all []string
	refused := fmt.Errorf("the key %s is not one of the allowed signers", ssh.FingerprintSHA256(key))
	for i := range s.entries {
		e := &s.entries[i]
		if string(e.key.Marshal()) != string(key.Marshal()) {
			continue
		}
		if err := e.allows(now); err != nil {
			if len(all) == 0 {
				refused = err
			}
			continue
		}
		all = append(all, e.principals...)
	}
	if len(all) == 0 {
		return nil, refused
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// People is how many different people there are: as many approvals as there can be.
func (s *Signers) People() int {
	var all []signed
	for _, e := range s.entries {
		all = append(all, signed{key: ssh.FingerprintSHA256(e.key), principals: e.principals})
	}
	return len(people(all))
}

// matchesList reports whether a pattern list matches a text; a negated pattern that
// matches excludes it.
func matchesList(patterns []string, text string) bool {
	found := false
	for _, p := range patterns {
		negated := strings.HasPrefix(p, "!")
		if matches(strings.TrimPrefix(p, "!"), text) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

// matches matches the wildcards * and ? of OpenSSH.
func matches(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		rest := strings.TrimLeft(pattern, "*")
		for i := 0; i <= len(text); i++ {
			if matches(rest, text[i:]) {
				return true
			}
		}
		return false
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && matches(pattern[1:], text[1:])
}
