package policy

import (
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Match is what the match of one rule of the configuration takes of an image or
// a namespace, less what its except takes out. What the rule then decides is
// another matter: a rule may match a tag that it neither keeps nor condemns yet.
type Match struct {
	// Rule is the rule as reasons name it: "retention/pull request builds",
	// "naming/kebab case", "visibility/only oss is public", "protect/tags".
	Rule string
	// Pattern is that of protect.tags; "" for other rules.
	Pattern string
	// Tags are positions in Image.Tags; none for a rule about the image or the
	// namespace itself.
	Tags []int
}

// Matches lists what the rules of the configuration take of an image. A rule
// that takes nothing of it is not in the list.
func (j *Judge) Matches(img *registry.Image) []Match {
	set := j.engine.settings
	f := j.imageFacts(img)
	var out []Match
	add := func(m Match) {
		if len(m.Tags) > 0 {
			out = append(out, m)
		}
	}
	for i := range set.Retention {
		r := &set.Retention[i]
		if !r.takes(img) {
			continue
		}
		m := Match{Rule: "retention/" + r.Name}
		for _, t := range r.matched(j.now, img, f.tags) {
			m.Tags = append(m.Tags, t.index)
		}
		add(m)
	}
	for _, pattern := range set.Protect.Tags {
		m := Match{Rule: "protect/tags", Pattern: pattern}
		for i := range f.tags {
			if globs([]string{pattern}, f.tags[i].Name) {
				m.Tags = append(m.Tags, i)
			}
		}
		add(m)
	}
	out = append(out, j.subjectMatches("visibility/", set.Visibility, f)...)
	return append(out, j.subjectMatches("naming/", set.Naming, f)...)
}

func (j *Judge) subjectMatches(kind string, rules []subjectRule, f *imageFacts) []Match {
	var out []Match
	for _, r := range rules {
		switch {
		case r.Subject == string(modules.Image) && r.takesImage(j, f.img):
			out = append(out, Match{Rule: kind + r.Name})
		case r.Subject == "tag" && r.mayTakeTagsOf(f.img):
			m := Match{Rule: kind + r.Name}
			for i := range f.tags {
				if f.tags[i].subject == "" && r.takesTag(j, f.img, &f.tags[i]) {
					m.Tags = append(m.Tags, i)
				}
			}
			if len(m.Tags) > 0 {
				out = append(out, m)
			}
		}
	}
	return out
}

// NamespaceMatches lists what the rules of the configuration take of a namespace
// itself.
func (j *Judge) NamespaceMatches(ns *registry.Namespace) []Match {
	set := j.engine.settings
	var out []Match
	add := func(kind string, rules []subjectRule) {
		for _, r := range rules {
			if r.Subject == string(modules.Namespace) && r.takesNamespace(j, ns) {
				out = append(out, Match{Rule: kind + r.Name})
			}
		}
	}
	add("visibility/", set.Visibility)
	add("naming/", set.Naming)
	return out
}

// IsRelease says whether a tag looks like a release: a semantic version that is
// no pre-release.
func IsRelease(tag string) bool {
	v := parseVersion(tag)
	return v != nil && v.Prerelease() == ""
}
