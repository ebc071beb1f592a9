package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// release is a tag with the positions of its version: how many of the majors, of the
// minors of its major, of the patches of its minor, and of all versions are newer.
// A pre-release that follows another version has the positions of that.
type release struct {
	*tag
	version                     *rules.Version
	major, minor, patch, placed int
	why                         string // a pre-release is kept
}

// releases adds the counting tags of a group that are versions to the rule, for the
// newest of majors, minors and patches, and for the highest versions.
func (f *Image) releases(r *retentionRule, g group, k *kept) {
	if r.Keep.Semver == nil {
		return
	}
	var lines, names, positions, reasons []*ast.Term
	for _, v := range placedVersions(r, g.tags) {
		if !f.matters(v.tag) {
			continue
		}
		if r.Keep.Semver.ByLine() {
			lines = append(lines, ast.ObjectTerm(
				[2]*ast.Term{keyName, f.names[v.index]},
				[2]*ast.Term{keyReason, ast.StringTerm(v.words(g.of, linesKept(r.Keep.Semver, v.version)))},
				[2]*ast.Term{keyMajor, ast.InternedTerm(v.major)},
				[2]*ast.Term{keyMinor, ast.InternedTerm(v.minor)},
				[2]*ast.Term{keyPatch, ast.InternedTerm(v.patch)},
			))
		}
		if r.Keep.Semver.Versions > 0 {
			names, positions = append(names, f.names[v.index]), append(positions, ast.InternedTerm(v.placed))
			reasons = append(reasons, ast.StringTerm(v.words(g.of, highest(r.Keep.Semver.Versions))))
		}
	}
	if len(lines) > 0 {
		k.releases = append(k.releases, ast.ObjectTerm(
			[2]*ast.Term{keyRule, r.terms.name},
			[2]*ast.Term{keyReleases, ast.ArrayTerm(lines...)},
			[2]*ast.Term{keyMajors, r.terms.majors},
			[2]*ast.Term{keyMinors, r.terms.minors},
			[2]*ast.Term{keyPatches, r.terms.patches},
		))
	}
	if len(names) > 0 {
		k.versions = append(k.versions, r.entry(ast.ArrayTerm(names...),
			[2]*ast.Term{keyPositions, ast.ArrayTerm(positions...)},
			[2]*ast.Term{keyLimit, r.terms.versions},
			[2]*ast.Term{keyReasons, ast.ArrayTerm(reasons...)},
		))
	}
}

// placedVersions are the counting tags of a group that are versions, with their
// positions: the highest version first, and then the pre-releases that take no place.
// Equal versions share a place. It leaves out versions that no limits keep.
func placedVersions(r *retentionRule, tags []*tag) []release {
	var ranked, pre []release
	for _, t := range tags {
		v := r.version(t)
		switch {
		case v == nil || !t.counts():
		case v.Prerelease() == "" || r.Keep.Semver.Prereleases == rules.Ranked:
			ranked = append(ranked, release{tag: t, version: v})
		case r.Keep.Semver.Prereleases != rules.Never:
			pre = append(pre, release{tag: t, version: v})
		}
	}
	slices.SortStableFunc(ranked, func(a, b release) int { return b.version.Compare(a.version) })
	place(ranked)
	return append(ranked, following(ranked, pre)...)
}

// place counts the newer ones of versions in order.
func place(ranked []release) {
	for i := 1; i < len(ranked); i++ {
		v, before := &ranked[i], ranked[i-1]
		v.major, v.minor, v.patch, v.placed = before.major, before.minor, before.patch, before.placed
		if v.version.Compare(before.version) == 0 {
			continue
		}
		v.placed++
		switch {
		case v.version.Major() != before.version.Major():
			v.major, v.minor, v.patch = v.major+1, 0, 0
		case v.version.Minor() != before.version.Minor():
			v.minor, v.patch = v.minor+1, 0
		default:
			v.patch++
		}
	}
}

// following gives pre-releases the positions of their releases. One without a release
// has the first position if it is higher than all, since the highest is always kept.
func following(ranked, pre []release) []release {
	var out []release
	for _, p := range pre {
		core := p.version.Release()
		at, found := slices.BinarySearchFunc(ranked, core, func(r release, core *rules.Version) int { return core.Compare(r.version) })
		switch {
		case found:
			p.major, p.minor, p.patch, p.placed = ranked[at].major, ranked[at].minor, ranked[at].patch, ranked[at].placed
			p.why = "follows " + core.String()
		case len(ranked) == 0:
			p.why = "no release is kept"
		case at == 0:
			p.why = "higher than every release that is kept"
		default:
			continue
		}
		out = append(out, p)
	}
	return out
}

// words say why a version is kept: "release 1.4.2: one of the 2 newest patches of
// 1.4", or "pre-release 1.4.2-rc.1: follows 1.4.2".
func (v *release) words(of, because string) string {
	if v.why != "" {
		return "pre-release " + v.version.String() + of + ": " + v.why
	}
	return "release " + v.version.String() + of + ": " + because
}

// linesKept words what is kept of majors, minors and patches.
func linesKept(k *rules.SemverKeep, v *rules.Version) string {
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
		return "the rule keeps every release"
	}
	return strings.Join(because, ", ")
}

// highest words how many of the highest versions are kept.
func highest(count int) string {
	if count == 1 {
		return "the highest version"
	}
	return fmt.Sprintf("one of the %d highest versions", count)
}
