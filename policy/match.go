package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// anyVersion is the range that takes every version, pre-releases too.
const anyVersion = "*"

// takesNamespace reports whether the parts of the match that look at the
// namespace hold. A nil match takes everything.
func (m *match) takesNamespace(ns *registry.Namespace) bool {
	return m == nil ||
		globs(m.Namespaces, ns.Name) &&
			(len(m.ProjectIDs) == 0 || slices.Contains(m.ProjectIDs, ns.ProjectID))
}

// takesImage reports whether the parts that look at the image and its namespace
// hold.
func (m *match) takesImage(img *registry.Image) bool {
	return m == nil || m.takesNamespace(img.Namespace) && globs(m.Images, img.Name)
}

// takesTag reports whether the parts that look at the tag's name hold.
func (m *match) takesTag(name string, version *semver.Version) bool {
	if m == nil {
		return true
	}
	if !globs(m.Tags, name) || m.regex != nil && !m.regex.MatchString(name) {
		return false
	}
	if m.Semver == "" {
		return true
	}
	return version != nil && (m.span == nil || m.span.Check(version))
}

// takesAge reports whether the parts that look at the age hold. Like the ages
// that policies see, it counts whole seconds, and the future as now.
func (m *match) takesAge(age int) bool {
	return m == nil ||
		(m.OlderThan == nil || float64(age) >= *m.OlderThan) &&
			(m.YoungerThan == nil || float64(age) < *m.YoungerThan)
}

// takes reports whether match takes the image, or may take some of its tags.
func (r *retentionRule) takes(img *registry.Image) bool {
	return r.Match.takesImage(img) && !r.excepts(img)
}

// excepts reports whether except takes the image with all its tags.
func (r *retentionRule) excepts(img *registry.Image) bool {
	return r.Except != nil && !r.Except.looksAtTags() && r.Except.takesImage(img)
}

func (m *match) looksAtTags() bool {
	return len(m.Tags) > 0 || m.regex != nil || m.Semver != "" || m.OlderThan != nil || m.YoungerThan != nil
}

// tag is a tag with what matching needs to know of it.
type tag struct {
	*registry.Tag
	index   int // in Image.Tags
	version *semver.Version
	subject string    // of an attachment
	age     *ast.Term // since it was updated, in seconds; nil until asked for
}

// counts reports whether the tag can take a place among those that a rule counts.
// One that is not ready and an attachment neither take a place nor fill one.
func (t *tag) counts() bool { return t.Status == registry.StatusReady && t.subject == "" }

// age in whole seconds, by the time that the rule goes by.
func (r *retentionRule) age(now time.Time, t *tag) int { return wholeSeconds(now, r.time(t)) }

func (r *retentionRule) time(t *tag) time.Time {
	if r.By == "created_at" {
		return t.CreatedAt
	}
	return t.UpdatedAt
}

// matched returns the tags that the rule's match takes and its except does not,
// newest first by the time that the rule goes by, ties by name.
func (r *retentionRule) matched(now time.Time, img *registry.Image, tags []tag) []*tag {
	exceptImage := r.Except != nil && r.Except.takesImage(img)
	out := []*tag{} // never nil: see matchedBy
	for i := range tags {
		t := &tags[i]
		if !r.Match.takesTag(t.Name, t.version) || !r.Match.takesAge(r.age(now, t)) {
			continue
		}
		if exceptImage && r.Except.takesTag(t.Name, t.version) && r.Except.takesAge(r.age(now, t)) {
			continue
		}
		out = append(out, t)
	}
	if r.By == "created_at" {
		slices.SortStableFunc(out, func(a, b *tag) int {
			if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
				return c
			}
			return strings.Compare(a.Name, b.Name)
		})
	}
	return out
}

// globs reports whether one of the patterns takes the name; none takes all.
func globs(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if doublestar.MatchUnvalidated(p, name) {
			return true
		}
	}
	return false
}
