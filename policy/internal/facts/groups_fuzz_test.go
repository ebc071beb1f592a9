package facts

import (
	"regexp"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A tag as OCI distribution has it.
var tagName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// Groups split what they are given, whatever the pattern: each tag is in one, and in the
// one of the reference.
func FuzzGroups(f *testing.F) {
	for _, pattern := range []string{"env-(?P<group>[a-z]+)-.*", "(a)|b", "(.*)", "()", "(?i)(A)", "(a)?(?P<group>b)?.*", "a)|(b", "(?m)^(a)$"} {
		f.Add(pattern, "env-prod-1 env-dev-2 a b latest")
	}
	f.Fuzz(func(t *testing.T, pattern, names string) {
		g, err := newGrouping(pattern)
		if err != nil || g == nil {
			return
		}
		var tags []*tag
		for _, name := range strings.Fields(names) {
			if tagName.MatchString(name) {
				tags = append(tags, &tag{Tag: &registry.Tag{Name: name}})
			}
		}
		count := 0
		for _, group := range g.split(tags) {
			for _, found := range group.tags {
				count++
				if want := referenceGroup(pattern, found.Name); group.of != want {
					t.Errorf("%q puts %q into the group%s, the reference into the group%s", pattern, found.Name, group.of, want)
				}
			}
		}
		if count != len(tags) {
			t.Errorf("%q splits %d tags into %d", pattern, len(tags), count)
		}
	})
}

func referenceGroup(pattern, name string) string {
	re := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	found := re.FindStringSubmatch(name)
	if found == nil {
		return " of the tags in no group"
	}
	at := max(1, re.SubexpIndex("group"))
	if found[at] == "" {
		return ` of ""`
	}
	return " of " + found[at]
}
