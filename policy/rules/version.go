package rules

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// ParseVersion reads a tag name as a semantic version: X.Y.Z, a leading v allowed,
// with an optional pre-release, and build metadata after the _ that stands for the
// + which tags cannot contain. It is nil for anything looser.
func ParseVersion(name string) *semver.Version {
	name = strings.TrimPrefix(name, "v")
	if name == "" || name[0] < '0' || name[0] > '9' {
		return nil
	}
	v, err := semver.StrictNewVersion(strings.Replace(name, "_", "+", 1))
	if err != nil {
		return nil
	}
	return v
}

// IsRelease reports whether a tag name is a semantic version without a
// pre-release.
func IsRelease(name string) bool {
	v := ParseVersion(name)
	return v != nil && v.Prerelease() == ""
}
