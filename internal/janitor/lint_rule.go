package janitor

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	policyrules "github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// lintedRule is a rule and what it does.
type lintedRule struct {
	name      string
	pattern   string                 // of protect.tags
	retention *policyrules.Retention // nil for other kinds
	own       bool                   // the operator's own Rego

	images, tags int // that it matches, or condemns if it is Rego
	bare         int // tags that nothing else keeps or condemns
	covered      tallied
	by           map[string]int // how many tags each other rule covers
	releases     tallied
	kept         int // of the releases, by any rule
}

// tallied counts tags and images and remembers the first few references.
type tallied struct {
	tags, images int
	examples     []string
	last         registry.Ref // the image counted last
}

// examplesMax is how many references a finding shows.
const examplesMax = 3

// add keeps the lowest references, so that the order of the work does not show.
// The tags of an image come one after the other.
func (t *tallied) add(tags int, image registry.Ref, ref string) {
	t.tags += tags
	if t.last != image {
		t.images++
		t.last = image
	}
	at, found := slices.BinarySearch(t.examples, ref)
	if !found && at < examplesMax {
		t.examples = slices.Insert(t.examples, at, ref)
		t.examples = t.examples[:min(len(t.examples), examplesMax)]
	}
}

// configured lists the rules of the configuration.
func configured(c *config.Config) map[string]*lintedRule {
	rules := map[string]*lintedRule{}
	add := func(r lintedRule) {
		rules[lintKey(policy.RuleMatch{Rule: r.name, Pattern: r.pattern})] = &r
	}
	for i := range c.Retention {
		add(lintedRule{name: "retention/" + c.Retention[i].Name, retention: &c.Retention[i]})
	}
	for _, r := range c.Visibility {
		add(lintedRule{name: "visibility/" + r.Name})
	}
	for _, r := range c.Naming {
		add(lintedRule{name: "naming/" + r.Name})
	}
	for _, pattern := range c.Protect.Tags {
		add(lintedRule{name: "protect/tags", pattern: pattern})
	}
	return rules
}

// lintKey tells rules apart: protect.tags is one rule for each pattern.
func lintKey(m policy.RuleMatch) string {
	if m.Pattern == "" {
		return m.Rule
	}
	return m.Rule + "\x00" + m.Pattern
}

func (r *lintedRule) matched(tags int) {
	r.images++
	r.tags += tags
}

// cover counts a tag that the rule matches: whether another rule keeps it, or
// condemns it no later. Matching are the retention rules that match it too.
func (r *lintedRule) cover(v *registry.Verdict, i int, matching []*lintedRule) {
	image, ref := v.Image.Ref(), v.Image.TagRef(v.Image.Tags[i].Name).String()
	r.release(v, i, ref)
	others := map[string]bool{}
	for _, vote := range v.Tags[i].Keep {
		if vote.Rule != r.name && (r.deletes() || unconditional(vote.Rule, matching)) {
			others[vote.Rule] = true
		}
	}
	if r.deletes() && (r.own || r.retention.Keep == nil) {
		for rule := range r.condemners(v, i, matching) {
			others[rule] = true
		}
	}
	if len(others) == 0 {
		r.bare++
		return
	}
	r.covered.add(1, image, ref)
	if r.by == nil {
		r.by = map[string]int{}
	}
	for rule := range others {
		r.by[rule]++
	}
}

func (r *lintedRule) deletes() bool { return r.own || r.retention.Delete != nil }

// unconditional says whether a rule keeps a tag whatever else there is: not only
// because it is young, or among the newest.
func unconditional(rule string, matching []*lintedRule) bool {
	if strings.HasPrefix(rule, "protect/") {
		return true
	}
	return slices.ContainsFunc(matching, func(m *lintedRule) bool {
		return m.name == rule && m.retention.Keep != nil && m.retention.Keep.All
	})
}

// condemners are the other rules that condemn the tag no later than this one:
// YAML rules by their age, own Rego by its vote of today. Of two that are alike
// the one with the lower name counts as the one that does it.
func (r *lintedRule) condemners(v *registry.Verdict, i int, matching []*lintedRule) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, other := range matching {
			if !r.own && other.before(r) && !yield(other.name) {
				return
			}
		}
		for _, vote := range v.Tags[i].Delete {
			own := vote.Source != ""
			if vote.Rule == r.name || vote.ReportOnly || !own && !r.own || own && r.own && vote.Rule > r.name {
				continue
			}
			if !yield(vote.Rule) {
				return
			}
		}
	}
}

// before says whether a rule condemns what both match no later than another.
func (r *lintedRule) before(other *lintedRule) bool {
	a, b := r.retention, other.retention
	if r == other || a.Delete == nil || !a.Enforce || a.By != b.By {
		return false
	}
	first, second := a.Delete.OlderThan.Duration(), b.Delete.OlderThan.Duration()
	return first < second || first == second && (r.name < other.name || !b.Enforce)
}

// release counts a release that a regular expression hits without saying so.
func (r *lintedRule) release(v *registry.Verdict, i int, ref string) {
	if r.own || r.retention.Delete == nil || r.retention.Match.TagsRegex == "" || r.retention.Match.Semver != "" || !policyrules.IsRelease(v.Image.Tags[i].Name) {
		return
	}
	r.releases.add(1, v.Image.Ref(), ref)
	if len(v.Tags[i].Keep) > 0 {
		r.kept++
	}
}

// findings words what is wrong with the rule.
func (r *lintedRule) findings(incomplete bool) []runs.LintFinding {
	if r.images == 0 {
		return []runs.LintFinding{r.nothing(incomplete)}
	}
	var out []runs.LintFinding
	if r.bare == 0 && r.covered.tags > 0 {
		out = append(out, r.shadowed())
	}
	if n := r.releases.tags; n > 0 {
		out = append(out, runs.LintFinding{
			Kind: runs.LintHitsReleases, Rule: r.name, Tags: n, Images: r.releases.images, Examples: r.releases.examples,
			Message: fmt.Sprintf("its tags_regex %s also hits %s that look like releases, of which rules keep %s",
				r.retention.Match.TagsRegex, actions.Count(n, "tag"), actions.Thousands(r.kept)),
			Remedy: `add except: {semver: "*"} to the rule; if releases are meant, say so with match: {semver: "*"}`,
		})
	}
	return out
}

func (r *lintedRule) nothing(incomplete bool) runs.LintFinding {
	f := runs.LintFinding{
		Kind: runs.LintMatchesNothing, Rule: r.name, Examples: []string{},
		Message: "it matches nothing of what there is",
		Remedy:  "look for a typing error in its match and except, or remove the rule",
	}
	if r.pattern != "" {
		f.Message = fmt.Sprintf("the pattern %q matches no tag, so it protects nothing", r.pattern)
		f.Remedy = "look for a typing error in protect.tags, or remove the pattern"
	}
	if incomplete {
		f.Message += " (but not everything could be seen)"
	}
	return f
}

func (r *lintedRule) shadowed() runs.LintFinding {
	var by []string
	for _, rule := range slices.SortedFunc(maps.Keys(r.by), func(a, b string) int {
		if n := r.by[b] - r.by[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	}) {
		by = append(by, actions.Thousands(r.by[rule])+" by "+rule)
	}
	f := runs.LintFinding{Kind: runs.LintShadowed, Rule: r.name, Tags: r.covered.tags, Images: r.covered.images, Examples: r.covered.examples}
	subject, list := "every tag that it matches ("+actions.Thousands(r.covered.tags)+")", strings.Join(by, ", ")
	if r.own {
		subject = "every tag that it condemns (" + actions.Thousands(r.covered.tags) + ")"
	}
	if r.deletes() {
		f.Message = subject + " is kept, or condemned no later, by another rule: " + list
		f.Remedy = "it has no effect: remove it, or narrow the rules that come before it"
	} else {
		f.Message = subject + " is kept by another rule as well: " + list
		f.Remedy = "it adds nothing: remove it, unless it is there as a safety belt"
	}
	return f
}

func emptiesFinding(rule string, t *tallied) runs.LintFinding {
	return runs.LintFinding{
		Kind: runs.LintEmptiesImage, Rule: rule, Tags: t.tags, Images: t.images, Examples: t.examples,
		Message: fmt.Sprintf("would delete every tag of %s, were it not for limits.keep_at_least", actions.Count(t.images, "image")),
		Remedy:  "say what must stay, such as keep: {last: 1}, or leave such images out with except: {images: […]}",
	}
}

// enforced lists the rules of the votes that count.
func enforced(votes []registry.Reason) map[string]bool {
	rules := map[string]bool{}
	for _, vote := range votes {
		if !vote.ReportOnly {
			rules[vote.Rule] = true
		}
	}
	return rules
}
