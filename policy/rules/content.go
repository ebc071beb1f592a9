package rules

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Answer is whether something matches. It is Unknown where that depends on a content
// that is not known.
type Answer int

// The answers, such that "and" is the least of two.
const (
	No Answer = iota
	Unknown
	Yes
)

func (a Answer) not() Answer { return Yes - a }

// Kinds are what a tag can have, as the key kind names it.
func Kinds() []string {
	return []string{string(registry.ContentImage), string(registry.ContentIndex), string(registry.ContentAttachment), string(registry.ContentArtifact)}
}

// UnknownAge is the age of a tag whose time is in a content that is not known.
const UnknownAge = -1

// NeedsContent reports whether it depends on contents what the selector selects.
func (s *Selector) NeedsContent() bool {
	return s.match.aboutContent() || s.except != nil && s.except.aboutContent()
}

// Answer is whether the rule is about a tag. The content is nil if it is not known, the
// age may be UnknownAge.
func (s TagSelector) Answer(name string, version *Version, age int, content *registry.Content) Answer {
	answer := func(m *matcher) Answer {
		if !m.tag(name, version) {
			return No
		}
		return min(m.answerAge(age), m.answerContent(content))
	}
	if s.except == nil {
		return answer(s.match)
	}
	return min(answer(s.match), answer(s.except).not())
}

// May reports whether the rule is, or may be, about a tag, see Answer.
func (s TagSelector) May(name string, version *Version, age int, content *registry.Content) bool {
	if !s.byContent {
		return s.Matches(name, version, age)
	}
	return s.Answer(name, version, age, content) != No
}

func (m *matcher) answerAge(age int) Answer {
	switch {
	case m.OlderThan == none && m.YoungerThan == none:
		return Yes
	case age < 0:
		return Unknown
	case m.age(age):
		return Yes
	}
	return No
}

func (m *matcher) answerContent(c *registry.Content) Answer {
	switch {
	case !m.aboutContent():
		return Yes
	case c == nil:
		return Unknown
	case m.kind(c) && m.platform(c) && m.labels(c):
		return Yes
	}
	return No
}

func (m *Match) aboutContent() bool { return len(m.Labels)+len(m.Platforms)+len(m.Kind) > 0 }

// kind reports whether the content is of one of the kinds. An index is an image too if it
// has one.
func (m *matcher) kind(c *registry.Content) bool {
	if len(m.Kind) == 0 || slices.Contains(m.Kind, string(c.Kind)) {
		return true
	}
	hasImage := len(c.PartLabels)+len(c.Platforms) > 0
	return c.Kind == registry.ContentIndex && hasImage && slices.Contains(m.Kind, string(registry.ContentImage))
}

// platform reports whether the content is for one of the platforms. One without a variant
// takes every variant.
func (m *matcher) platform(c *registry.Content) bool {
	if len(m.Platforms) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Platforms, func(p string) bool {
		return slices.ContainsFunc(m.Platforms, func(want string) bool {
			return p == want || strings.Count(want, "/") == 1 && strings.HasPrefix(p, want+"/")
		})
	})
}

// labels reports whether the content has all labels with values that the globs match.
func (m *matcher) labels(c *registry.Content) bool {
	for key, glob := range m.Labels {
		if value, ok := c.Labels[key]; !ok || !doublestar.MatchUnvalidated(glob, value) {
			return false
		}
	}
	return true
}

// AnyLabel is the first label of some, by its key, of which a content or one of its
// images has a value that the glob matches: "keep=true". It is "" if there is none.
func AnyLabel(globs map[string]string, c *registry.Content) string {
	found := ""
	for _, labels := range slices.Concat([]map[string]string{c.Labels}, c.PartLabels) {
		for key, glob := range globs {
			value, ok := labels[key]
			if label := key + "=" + value; ok && doublestar.MatchUnvalidated(glob, value) && (found == "" || label < found) {
				found = label
			}
		}
	}
	return found
}

// expiryUnits are those of the label quay.expires-after.
var expiryUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

var errExpiry = errors.New("not a whole number with one of the units s, m, h, d and w")

// Expiry reads the age limit in a label as Quay does: a whole number and one unit, such
// as 12h, 2d or 3w. Here, a number without a unit and zero, which other programs take
// for "never", are errors.
func Expiry(label string) (time.Duration, error) {
	if label == "" {
		return 0, errExpiry
	}
	digits, unit := label[:len(label)-1], expiryUnits[label[len(label)-1]]
	if unit == 0 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, errExpiry
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 || n > int64(math.MaxInt64/unit) {
		return 0, errExpiry
	}
	return time.Duration(n) * unit, nil
}
