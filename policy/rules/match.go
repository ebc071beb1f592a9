package rules

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Selector is the compiled match and except of a rule: it selects what the rule is
// about. Ages are in whole seconds.
type Selector struct {
	match  *matcher
	except *matcher // nil for a rule without except
}

// NewSelector compiles the match and the except of a rule, each of which may be
// nil: without match the rule is about everything.
func NewSelector(match, except *Match) (*Selector, error) {
	s := &Selector{}
	var err error
	if match == nil {
		match = &Match{}
	}
	if s.match, err = compile(match); err != nil {
		return nil, err
	}
	if except != nil {
		s.except, err = compile(except)
	}
	return s, err
}

// MatchesNamespace reports whether a rule about namespaces is about this one.
func (s *Selector) MatchesNamespace(ns *registry.Namespace, age int) bool {
	matches := func(m *matcher) bool { return m.namespace(ns) && m.age(age) }
	return matches(s.match) && (s.except == nil || !matches(s.except))
}

// MatchesImage reports whether a rule about images is about this one.
func (s *Selector) MatchesImage(img *registry.Image, age int) bool {
	matches := func(m *matcher) bool { return m.image(img) && m.age(age) }
	return matches(s.match) && (s.except == nil || !matches(s.except))
}

// Tags is the selector for the tags of one image. It is false if the rule is about
// none of them, whatever they are called.
func (s *Selector) Tags(img *registry.Image) (TagSelector, bool) {
	if !s.match.image(img) {
		return TagSelector{}, false
	}
	if s.except == nil || !s.except.image(img) {
		return TagSelector{match: s.match, byContent: s.match.aboutContent()}, true
	}
	return TagSelector{s.match, s.except, s.NeedsContent()}, s.except.aboutTags()
}

// TagSelector selects the tags of one image that a rule is about.
type TagSelector struct {
	match, except *matcher
	byContent     bool // it depends on contents what is selected
}

// Matches reports whether the rule is about a tag, whatever its content. The version is
// nil for a name that is not one.
func (s TagSelector) Matches(name string, version *Version, age int) bool {
	if s.byContent {
		return s.Answer(name, version, age, nil) == Yes
	}
	matches := func(m *matcher) bool { return m.tag(name, version) && m.age(age) }
	return matches(s.match) && (s.except == nil || !matches(s.except))
}

// matcher is a compiled Match.
type matcher struct {
	*Match
	regex    *regexp.Regexp      // nil for any name
	versions *semver.Constraints // nil for any version
}

// anyVersion is the range of every version, pre-releases included.
const anyVersion = "*"

func compile(m *Match) (*matcher, error) {
	out := &matcher{Match: m}
	var err error
	if m.TagsRegex != "" {
		if out.regex, err = Anchored(m.TagsRegex); err != nil {
			return nil, fmt.Errorf("tags_regex: %w", err)
		}
	}
	if m.Semver != "" && m.Semver != anyVersion {
		if out.versions, err = semver.NewConstraint(m.Semver); err != nil {
			return nil, fmt.Errorf("semver %q: %w", m.Semver, err)
		}
	}
	return out, nil
}

func (m *matcher) namespace(ns *registry.Namespace) bool {
	return MatchesAny(m.Namespaces, ns.Name) && (len(m.ProjectIDs) == 0 || slices.Contains(m.ProjectIDs, ns.ProjectID))
}

func (m *matcher) image(img *registry.Image) bool {
	return m.namespace(img.Namespace) && MatchesAny(m.Images, img.Name)
}

func (m *matcher) tag(name string, version *Version) bool {
	if !MatchesAny(m.Tags, name) || m.regex != nil && !m.regex.MatchString(name) {
		return false
	}
	return m.Semver == "" || version != nil && (m.versions == nil || m.versions.Check(version.Version))
}

func (m *matcher) age(age int) bool {
	return float64(age) >= m.OlderThan.Seconds() && (m.YoungerThan == none || float64(age) < m.YoungerThan.Seconds())
}

// none is the duration of an absent key.
var none strictyaml.Duration

// aboutTags reports whether any part of the match distinguishes tags of an image.
func (m *matcher) aboutTags() bool {
	return len(m.Tags) > 0 || m.TagsRegex != "" || m.Semver != "" || m.OlderThan != none || m.YoungerThan != none || m.aboutContent()
}

// MatchesAny reports whether one of the globs matches the name. No glob at all
// matches every name.
func MatchesAny(globs []string, name string) bool {
	if len(globs) == 0 {
		return true
	}
	for _, glob := range globs {
		if doublestar.MatchUnvalidated(glob, name) {
			return true
		}
	}
	return false
}
