package facts

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// RuleMatch is what one rule of the configuration is about in an image or a
// namespace. The rule decides separately: it may match a tag
// that it neither keeps nor marks yet.
type RuleMatch struct {
	// Rule is the rule as reasons name it: "retention/pull request builds",
	// "naming/kebab case", "visibility/only oss is public", "protect/tags".
	Rule string
	// Pattern is the pattern in protect.tags; "" for other rules.
	Pattern string
	// Tags are positions in Image.Tags; none for a rule about the image or the
	// namespace itself.
	Tags []int
}

// Matches lists what the rules of the configuration match in the image. A rule that
// matches nothing is not in the list.
func (f *Image) Matches() []RuleMatch {
	set, now, img := f.scan.Rules, f.scan.Now, f.img
	var out []RuleMatch
	for i := range set.retention {
		r := &set.retention[i]
		matched, _ := r.matched(now, img, f.tags)
		out = append(out, RuleMatch{Rule: "retention/" + r.Name, Tags: positions(matched)})
	}
	for _, pattern := range set.Protect.Tags {
		m := RuleMatch{Rule: "protect/tags", Pattern: pattern}
		for i := range f.tags {
			if rules.MatchesAny([]string{pattern}, f.tags[i].Name) {
				m.Tags = append(m.Tags, i)
			}
		}
		out = append(out, m)
	}
	for _, r := range set.naming {
		out = append(out, RuleMatch{Rule: r.reason, Tags: positions(r.matchedTags(now, img, f.tags))})
	}
	out = slices.DeleteFunc(out, func(m RuleMatch) bool { return len(m.Tags) == 0 })
	for _, r := range slices.Concat(set.visibility, set.naming) {
		if r.matchesImage(now, img) {
			out = append(out, RuleMatch{Rule: r.reason})
		}
	}
	return out
}

// Matches lists the rules of the configuration that are about a namespace itself.
func (s *Scan) Matches(ns *registry.Namespace) []RuleMatch {
	var out []RuleMatch
	for _, r := range slices.Concat(s.Rules.visibility, s.Rules.naming) {
		if r.matchesNamespace(s.Now, ns) {
			out = append(out, RuleMatch{Rule: r.reason})
		}
	}
	return out
}

func positions(tags []*tag) []int {
	out := make([]int, len(tags))
	for i, t := range tags {
		out[i] = t.index
	}
	return out
}
