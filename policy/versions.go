package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// releases adds the counting tags of a group that are releases to the rule,
// with the positions of their major version, of their minor version within it, and
// of their patch within that: how many are newer. Equal versions share them.
func (f *imageFacts) releases(r *retentionRule, g group) []*ast.Term {
	if r.Keep.Semver == nil {
		return nil
	}
	found := newestReleases(r.Keep.Semver, g.tags)
	out := make([]*ast.Term, 0, len(found))
	major, minor, patch := 0, 0, 0
	for i, t := range found {
		v := t.version
		if i > 0 {
			switch before := found[i-1].version; {
			case v.Major() != before.Major():
				major, minor, patch = major+1, 0, 0
			case v.Minor() != before.Minor():
				minor, patch = minor+1, 0
			case compareVersions(v, before) != 0:
				patch++
			}
		}
		if f.matters(t) {
			out = append(out, ast.ObjectTerm(
				[2]*ast.Term{keyName, f.names[t.index]},
				[2]*ast.Term{keyReason, ast.StringTerm(whyReleased(r.Keep.Semver, v, g.of))},
				[2]*ast.Term{keyMajor, ast.InternedTerm(major)},
				[2]*ast.Term{keyMinor, ast.InternedTerm(minor)},
				[2]*ast.Term{keyPatch, ast.InternedTerm(patch)},
			))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return []*ast.Term{ast.ObjectTerm(
		[2]*ast.Term{keyRule, r.terms.name},
		[2]*ast.Term{keyReleases, ast.ArrayTerm(out...)},
		[2]*ast.Term{keyMajors, r.terms.majors},
		[2]*ast.Term{keyMinors, r.terms.minors},
		[2]*ast.Term{keyPatches, r.terms.patches},
	)}
}

// newestReleases are the counting tags that are releases to a rule, the newest
// version first.
func newestReleases(k *rules.SemverKeep, tags []*tag) []*tag {
	var found []*tag
	for _, t := range tags {
		if t.version != nil && t.counts() && (k.Prereleases || t.version.Prerelease() == "") {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b *tag) int { return compareVersions(b.version, a.version) })
	return found
}

// whyReleased says why a release is kept: "release 1.4.2: one of the 2 newest patches of
// 1.4".
func whyReleased(k *rules.SemverKeep, v *semver.Version, of string) string {
	var because []string
	if k.Patches > 0 {
		because = append(because, fmt.Sprintf("%s of %d.%d", newest(k.Patches, "patch", "patches"), v.Major(), v.Minor()))
	}
	if k.Minors > 0 {
		because = append(because, fmt.Sprintf("%s of %d", newest(k.Minors, "minor", "minors"), v.Major()))
	}
	if k.Majors > 0 {
		because = append(because, newest(k.Majors, "major", "majors"))
	}
	if len(because) == 0 {
		because = []string{"the rule keeps every release"}
	}
	name := fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch())
	if pre := v.Prerelease(); pre != "" {
		name += "-" + pre
	}
	return "release " + name + of + ": " + strings.Join(because, ", ")
}

// compareVersions is the precedence of semantic versions: build metadata does not
// count, a pre-release comes before its release, and the parts of pre-releases
// compare as numbers where both are, however long they are.
func compareVersions(a, b *semver.Version) int {
	if c := cmp.Or(cmp.Compare(a.Major(), b.Major()), cmp.Compare(a.Minor(), b.Minor()), cmp.Compare(a.Patch(), b.Patch())); c != 0 {
		return c
	}
	x, y := a.Prerelease(), b.Prerelease()
	switch {
	case x == y:
		return 0
	case x == "":
		return 1
	case y == "":
		return -1
	}
	return slices.CompareFunc(strings.Split(x, "."), strings.Split(y, "."), comparePart)
}

// comparePart compares one part of two pre-releases: numbers come before words.
// Numbers have no leading zeros, so the longer one is the greater one.
func comparePart(a, b string) int {
	x, y := isNumber(a), isNumber(b)
	switch {
	case x && y:
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
