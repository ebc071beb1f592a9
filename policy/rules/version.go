package rules

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is the semantic version that a tag name is, or has in it.
type Version struct {
	*semver.Version
	// Fourth is the component after the patch, which only the key version allows.
	Fourth uint64
}

// versionName is X.Y.Z, a leading v allowed, perhaps with a fourth component, with an
// optional pre-release, and build metadata after the _ that stands for the + which
// tags cannot contain.
var versionName = regexp.MustCompile(`^v?([0-9]+)\.([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:_([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)

// ParseVersion reads a tag name as a semantic version. Leading zeros are allowed:
// 2027.01.0 is 2027.1.0. It is nil for anything looser.
func ParseVersion(name string) *Version {
	v := parseVersion(name)
	if v == nil || v.fourth {
		return nil
	}
	return v.Version
}

type parsed struct {
	*Version
	fourth bool // there is such a component
}

func parseVersion(name string) *parsed {
	if digits := strings.TrimPrefix(name, "v"); digits == "" || digits[0] < '0' || digits[0] > '9' {
		return nil
	}
	m := versionName.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	var n [4]uint64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(cmp.Or(m[i+1], "0"), 10, 64); err != nil {
			return nil
		}
	}
	return &parsed{&Version{semver.New(n[0], n[1], n[2], m[5], m[6]), n[3]}, m[4] != ""}
}

// IsRelease reports whether a tag name is a semantic version without a
// pre-release.
func IsRelease(name string) bool {
	v := ParseVersion(name)
	return v != nil && v.Prerelease() == ""
}

// Release is the version without its pre-release.
func (v *Version) Release() *Version {
	return &Version{semver.New(v.Major(), v.Minor(), v.Patch(), "", ""), v.Fourth}
}

// String is the version without its build metadata.
func (v *Version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch())
	if v.Fourth > 0 {
		s += fmt.Sprintf(".%d", v.Fourth)
	}
	if pre := v.Prerelease(); pre != "" {
		s += "-" + pre
	}
	return s
}

// Compare is the precedence of semantic versions: build metadata does not count, a
// pre-release comes before its release, and the parts of pre-releases compare as
// numbers where both are, however long they are.
func (v *Version) Compare(o *Version) int {
	if c := cmp.Or(
		cmp.Compare(v.Major(), o.Major()), cmp.Compare(v.Minor(), o.Minor()), cmp.Compare(v.Patch(), o.Patch()), cmp.Compare(v.Fourth, o.Fourth),
	); c != 0 {
		return c
	}
	x, y := v.Prerelease(), o.Prerelease()
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

// comparePart compares one part of two pre-releases: numbers come before words. Of
// two numbers without leading zeros, the longer one is the greater one.
func comparePart(a, b string) int {
	x, y := isNumber(a), isNumber(b)
	switch {
	case x && y:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
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

// VersionPattern finds the version in a name.
type VersionPattern struct{ *Capture }

// NewVersionPattern compiles the key version; "" is nil.
func NewVersionPattern(pattern string) (*VersionPattern, error) {
	if pattern == "" {
		return nil, nil
	}
	c, err := NewCapture(pattern, "version")
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	return &VersionPattern{c}, nil
}

// Find reads the captured part as a version, which may have four components. It is
// nil for a name that the pattern does not match.
func (p *VersionPattern) Find(name string) *Version {
	captured, ok := p.Of(name)
	if !ok {
		return nil
	}
	if v := parseVersion(captured); v != nil {
		return v.Version
	}
	return nil
}
