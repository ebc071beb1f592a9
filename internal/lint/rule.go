package lint

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// rule is a rule and what it does.
type rule struct {
	name      string
	pattern   string           // of protect.tags
	retention *rules.Retention // nil for other kinds
	own       bool             // the operator's own Rego

	images, tags int // that it matches, or marks if it is Rego
	bare         int // tags that no other rule keeps or marks
	covered      tally
	by           map[string]int // how many tags each other rule covers
	releases     tally
	kept         int // of the releases, by any rule
	caches       tally
	cacheGlobs   []string // that the caches match
}

// tally counts tags and images and remembers the first few references.
type tally struct {
	tags, images int
	examples     []string
	last         registry.Ref // the image counted last
}

// examplesMax is how many references a finding shows.
const examplesMax = 3

// add keeps the lowest references, so that the order of the verdicts does not
// matter. The tags of an image must come one after the other.
func (t *tally) add(tags int, image registry.Ref, ref string) {
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
func configured(c *config.Config) map[string]*rule {
	all := map[string]*rule{}
	add := func(r rule) {
		all[key(policy.RuleMatch{Rule: r.name, Pattern: r.pattern})] = &r
	}
	for i := range c.Retention {
		add(rule{name: "retention/" + c.Retention[i].Name, retention: &c.Retention[i]})
	}
	for _, r := range c.Visibility {
		add(rule{name: "visibility/" + r.Name})
	}
	for _, r := range c.Naming {
		add(rule{name: "naming/" + r.Name})
	}
	for _, pattern := range c.Protect.Tags {
		add(rule{name: "protect/tags", pattern: pattern})
	}
	return all
}

// key distinguishes rules: each pattern of protect.tags is one.
func key(m policy.RuleMatch) string {
	if m.Pattern == "" {
		return m.Rule
	}
	return m.Rule + "\x00" + m.Pattern
}

func (r *rule) matched(tags int) {
	r.images++
	r.tags += tags
}

// cover counts a tag that the rule matches, and whether another rule keeps it or
// marks it no later. The retention rules in matching match it too.
func (r *rule) cover(v *registry.Verdict, i int, matching []*rule) {
	image, ref := v.Image.Ref(), v.Image.TagRef(v.Image.Tags[i].Name).String()
	r.release(v, i, ref)
	r.cache(v, i, ref)
	others := map[string]bool{}
	for _, reason := range v.Tags[i].Keep {
		if reason.Rule != r.name && (r.deletes() || unconditional(reason.Rule, matching)) {
			others[reason.Rule] = true
		}
	}
	if r.deletes() && (r.own || r.retention.Keep == nil) {
		for rule := range r.markers(v, i, matching) {
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

func (r *rule) deletes() bool { return r.own || r.retention.Delete != nil }

// unconditional reports whether a rule always keeps a tag: not only because it is
// young, or among the newest.
func unconditional(name string, matching []*rule) bool {
	if strings.HasPrefix(name, "protect/") {
		return true
	}
	return slices.ContainsFunc(matching, func(m *rule) bool {
		return m.name == name && m.retention.Keep != nil && m.retention.Keep.All
	})
}

// markers are the other rules that mark the tag no later than this one: YAML rules
// by their age, own Rego by what it decides today. Of two equal rules, the one with
// the lower name counts.
func (r *rule) markers(v *registry.Verdict, i int, matching []*rule) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, other := range matching {
			if !r.own && other.before(r) && !yield(other.name) {
				return
			}
		}
		for _, reason := range v.Tags[i].Delete {
			own := reason.Source != ""
			if reason.Rule == r.name || reason.ReportOnly || !own && !r.own || own && r.own && reason.Rule > r.name {
				continue
			}
			if !yield(reason.Rule) {
				return
			}
		}
	}
}

// before reports whether a rule marks what both match no later than another one.
func (r *rule) before(other *rule) bool {
	a, b := r.retention, other.retention
	if r == other || a.Delete == nil || !a.Enforce || a.By != b.By || a.Delete.OlderThanLabel != b.Delete.OlderThanLabel {
		return false
	}
	first, second := a.Delete.OlderThan.Duration(), b.Delete.OlderThan.Duration()
	return first < second || first == second && (r.name < other.name || !b.Enforce)
}

// release counts a release that a regular expression matches without saying so.
func (r *rule) release(v *registry.Verdict, i int, ref string) {
	if r.own || r.retention.Delete == nil || r.retention.Match.TagsRegex == "" || r.retention.Match.Semver != "" || !rules.IsRelease(v.Image.Tags[i].Name) {
		return
	}
	r.releases.add(1, v.Image.Ref(), ref)
	if len(v.Tags[i].Keep) > 0 {
		r.kept++
	}
}

// findings are the problems of the rule.
func (r *rule) findings(incomplete bool) []runs.LintFinding {
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
			Message: fmt.Sprintf("its tags_regex %s also matches %s that look like releases; other rules keep %s of them",
				r.retention.Match.TagsRegex, text.Count(n, "tag"), text.Thousands(r.kept)),
			Remedy: `add except: {semver: "*"} to the rule; if you mean releases, write match: {semver: "*"}`,
		})
	}
	if r.caches.tags > 0 {
		out = append(out, r.cacheFinding())
	}
	return out
}

func (r *rule) nothing(incomplete bool) runs.LintFinding {
	f := runs.LintFinding{
		Kind: runs.LintMatchesNothing, Rule: r.name, Examples: []string{},
		Message: "it matches nothing in the registry",
		Remedy:  "look for a typo in its match and except, or remove the rule",
	}
	if r.pattern != "" {
		f.Message = fmt.Sprintf("the pattern %q matches no tag, so it protects nothing", r.pattern)
		f.Remedy = "look for a typo in protect.tags, or remove the pattern"
	}
	if incomplete {
		f.Message += " (but not everything could be read)"
	}
	return f
}

func (r *rule) shadowed() runs.LintFinding {
	var by []string
	for _, rule := range slices.SortedFunc(maps.Keys(r.by), func(a, b string) int {
		if n := r.by[b] - r.by[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	}) {
		by = append(by, text.Thousands(r.by[rule])+" by "+rule)
	}
	f := runs.LintFinding{Kind: runs.LintShadowed, Rule: r.name, Tags: r.covered.tags, Images: r.covered.images, Examples: r.covered.examples}
	subject, list := "every tag that it matches ("+text.Thousands(r.covered.tags)+")", strings.Join(by, ", ")
	if r.own {
		subject = "every tag that it marks (" + text.Thousands(r.covered.tags) + ")"
	}
	if r.deletes() {
		f.Message = subject + " is kept, or marked no later, by another rule: " + list
		f.Remedy = "it has no effect: remove it, or narrow the rules that come before it"
	} else {
		f.Message = subject + " is kept by another rule as well: " + list
		f.Remedy = "it adds nothing: remove it, unless you want it as a second protection"
	}
	return f
}

func emptiesFinding(rule string, t *tally) runs.LintFinding {
	return runs.LintFinding{
		Kind: runs.LintEmptiesImage, Rule: rule, Tags: t.tags, Images: t.images, Examples: t.examples,
		Message: fmt.Sprintf("would delete every tag of %s if limits.keep_at_least did not prevent it", text.Count(t.images, "image")),
		Remedy:  "keep something, such as keep: {last: 1}, or exclude such images with except: {images: […]}",
	}
}
