package propose

import (
	"regexp"
	"slices"
	"strings"
)

// moving finds the names that are moved from build to build, such as latest.
type moving struct{ name *regexp.Regexp }

func newMoving() moving {
	words := slices.Concat(branches, environments, []string{
		"latest", "stable", "current", "lts", "next", "nightly", "snapshot", "head", "HEAD", "default", "test", "testing", "qa", "uat",
		"preprod", "pre-prod", "prod", "production", "live", "release", "rc", "beta", "alpha", "preview", "demo", "sandbox", "experimental",
		"unstable", "rolling", "tip", "debug",
	})
	systems := []string{"alpine", "slim", "debian", "ubuntu", "bookworm", "bullseye", "trixie", "jammy", "noble", "distroless", "scratch", "rootless", "debug"}
	system := "(" + alternatives(systems) + ")"
	return moving{mustAnchor("(" + alternatives(words) + "|" + system + ")([-_]" + system + ")*([-_]" + platform + ")?")}
}

// glob is what protects a moving name: the name itself, or a glob for names that end
// in latest. It is "" for any other name.
func (m moving) glob(name string) string {
	for _, end := range []string{"-latest", "_latest"} {
		if strings.HasSuffix(name, end) {
			return "*" + end
		}
	}
	if m.name.MatchString(name) {
		return name
	}
	return ""
}
