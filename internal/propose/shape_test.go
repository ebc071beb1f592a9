package propose

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestShapeOfAName(t *testing.T) {
	for name, names := range map[string][]string{
		"releases":                                      {"1.2.3", "v1.2.3", "1.4.0-rc.1", "1.4.0-alpine", "0.0.1_abc", "1.2.3-1234567", "v1.0.0-amd64", "2024.13.1"},
		"calendar versions":                             {"2024.11", "2024.11.07", "v2024.1", "2024.11.07-1", "2026.1-amd64"},
		"other versions":                                {"v2", "16", "16-alpine", "1.2", "v1.2-alpine", "python3.11", "app-v1.2.3", "1.2.3.4", "v2024", "v1-abc1234", "7", "release-1.2", "main-1.2.3", "24.04"},
		"moving names":                                  {"latest", "main", "stable", "dev", "latest-alpine", "latest-arm64", "stable-slim-amd64", "alpine", "feature-x-latest", "16-latest", "HEAD"},
		"build caches":                                  {"cache", "buildcache", "build-cache", "buildcache-amd64", "cache-main", "main-cache", "cache-abc1234", "pr-12-cache"},
		"tags of one platform":                          {"main-abc1234-arm64", "pr-12-amd64", "abc1234-linux-arm64", "pr-12-linux_amd64", "x-armhf"},
		"pull request builds":                           {"pr-1", "pr12", "PR-7", "mr_12", "pull-12", "pull-request-9", "merge-request-4"},
		"pull request builds by commit":                 {"pr-12-abc1234", "mr-1-2", "pr-12_a"},
		"numbered builds":                               {"main-12", "build-1000", "ci-5", "nightly-7", "dev_9", "main-1731000000"},
		"dated builds":                                  {"20241107", "nightly-20241107", "main_20241107"},
		"dated builds, by time":                         {"20241107120000", "20241107T1200Z", "20241107-1200", "nightly-20241107-120000"},
		"dated builds, by number or commit":             {"20241107-1", "20241107-abc1234", "main-20241107-abc1234", "20241107-1200-abc1234"},
		"dated builds with dashes":                      {"2024-11-07", "nightly-2024-11-07", "2024_11_07"},
		"dated builds with dashes, by time":             {"2024-11-07T12-00", "2024-11-07-12-00-15"},
		"dated builds with dashes, by number or commit": {"2024-11-07-3", "2024-11-07-abc1234"},
		"branch builds":                                 {"main-abc1234", "master_0a1b2c3", "develop-" + strings.Repeat("0a", 20), "main-ecdfbef"},
		"branch builds by number and commit":            {"main-12-abc1234"},
		"branch builds by commit and number":            {"main-abc1234-12", "main-abc1234-1731000000"},
		"builds of commits":                             {"abc1234", "sha-abc1234", "git-0a1b2c3", strings.Repeat("0a", 20)},
		"builds of commits by number":                   {"abc1234-12"},
		"builds of other branches":                      {"feature-x-abc1234", "fix_1_0a1b2c3", "a-0a1b2c3", "JIRA-12-abc1234", "dependabot-npm-abc1234"},
		"other names": {
			"on", "null", "1e3", "0x1f", "~", "defaced", "1234567", "12345678901", "prod-abc1234", "release-12", "release-20241107", "bookworm-20241107",
			"final", "works-on-my-machine", "node-18", "fix-defaced", "feature-20241107", "20241399", "latest-node18", strings.Repeat("x", 128),
		},
	} {
		for _, n := range names {
			if got := shapeOf(n); got != name {
				t.Errorf("%s is of the %s, want %s", n, got, name)
			}
		}
	}
}

// shapeOf is the name of the group that counts a tag.
func shapeOf(name string) string {
	s := New(takenAt)
	g, _ := s.groupOf(&registry.Tag{Name: name})
	switch g {
	case &s.movingNames:
		return "moving names"
	case &s.attachments:
		return "attachments"
	case &s.others:
		return "other names"
	}
	for i := range s.groups {
		if g == &s.groups[i] {
			return s.shapes[i].name
		}
	}
	return ""
}

func TestAnAttachmentIsNotAName(t *testing.T) {
	name := "sha256-" + strings.Repeat("a", 64)
	if got := shapeOf(name + ".sig"); got != "attachments" {
		t.Errorf("a signature is of the %s", got)
	}
	s := New(takenAt)
	if g, _ := s.groupOf(&registry.Tag{Name: name, Digest: "sha256:" + strings.Repeat("a", 64)}); g != &s.others {
		t.Error("a tag that is named after its own digest is not of the other names")
	}
}

// Two rules that delete never match the same name: otherwise one could be without
// effect. Nor does one of them match anything that looks like a version.
func TestRulesDoNotOverlap(t *testing.T) {
	all := shapes()
	random := rand.New(rand.NewPCG(7, 7))
	matched := map[string]int{}
	for range 40_000 {
		name := pieces(random)
		var deleting []string
		for _, s := range all {
			if _, ok := s.matches(name); ok {
				matched[s.name]++
				if s.deletes() {
					deleting = append(deleting, s.name)
				}
			}
		}
		if len(deleting) > 1 {
			t.Fatalf("%s is matched by %q", name, deleting)
		}
		if len(deleting) > 0 && (rules.ParseVersion(name) != nil || versionLike(name)) {
			t.Fatalf("%s looks like a version, and is matched by %q", name, deleting)
		}
	}
	for _, s := range all {
		if matched[s.name] == 0 {
			t.Errorf("no random name is of the %s", s.name)
		}
	}
}

// versionLike reports whether a name has a number with a dot.
func versionLike(name string) bool {
	for i := 1; i+1 < len(name); i++ {
		if name[i] == '.' && isDigit(name[i-1]) && isDigit(name[i+1]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// pieces makes a name of the parts that names are made of, in any order.
func pieces(random *rand.Rand) string {
	parts := []string{
		"main", "master", "dev", "feature", "fix-login", "pr", "mr", "PR", "pull-request", "preview", "sha", "git", "commit", "nightly", "build", "ci", "release", "prod",
		"cache", "buildcache", "latest", "stable", "amd64", "arm64", "linux-arm64", "alpine", "v1", "v", "1", "12", "123", "1234", "1234567", "20241107", "2024", "11", "07",
		"2024-11-07", "2024.11", "1.2.3", "1200", "120000", "T1200", "Z", "abc1234", "0a1b2c3d4e5f", "1731000000", "defaced", "abcdef", "on", "x",
	}
	var b strings.Builder
	for range 1 + random.IntN(4) {
		if b.Len() > 0 {
			b.WriteString([]string{"-", "-", "-", "_", ".", ""}[random.IntN(6)])
		}
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}
