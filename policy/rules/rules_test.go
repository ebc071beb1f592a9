package rules

import (
	"encoding/json"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/registry"
)

const day = 24 * 60 * 60

func TestSelector(t *testing.T) {
	image := &registry.Image{Name: "team/api", Namespace: &registry.Namespace{Name: "prod", ProjectID: "p1"}}
	for name, row := range map[string]struct {
		match, except *Match
		tag           string
		age           int
		want          bool
	}{
		"no match is about everything":                {nil, nil, "latest", 0, true},
		"a glob":                                      {&Match{Tags: []string{"pr-*"}}, nil, "pr-1", 0, true},
		"one of two globs":                            {&Match{Tags: []string{"mr-*", "pr-*"}}, nil, "pr-1", 0, true},
		"fields combine with AND":                     {&Match{Tags: []string{"pr-*"}, Namespaces: []string{"dev"}}, nil, "pr-1", 0, false},
		"a star matches no slash":                     {&Match{Images: []string{"*"}}, nil, "a", 0, false},
		"a regular expression is anchored":            {&Match{TagsRegex: "a|b"}, nil, "ab", 0, false},
		"any version":                                 {&Match{Semver: "*"}, nil, "v1.2.3-rc.1", 0, true},
		"a word is not a version":                     {&Match{Semver: "*"}, nil, "latest", 0, false},
		"a range":                                     {&Match{Semver: "<2"}, nil, "2.0.0", 0, false},
		"leading zeros are numbers":                   {&Match{Semver: ">=2026.09.0 <2027.02.0"}, nil, "2026.010.00", 0, true},
		"leading zeros in a pre-release":              {&Match{Semver: ">=1.0.0-rc.9"}, nil, "1.0.0-rc.010", 0, true},
		"a version of two components is not one":      {&Match{Semver: "*"}, nil, "1.11", 0, false},
		"a version of four components is not one":     {&Match{Semver: "*"}, nil, "1.2.3.4", 0, false},
		"a version in a name is not one":              {&Match{Semver: "*"}, nil, "api-v1.1.0", 0, false},
		"a number too large is not a version":         {&Match{Semver: "*"}, nil, "1.2.99999999999999999999", 0, false},
		"a project":                                   {&Match{ProjectIDs: []string{"p2"}}, nil, "a", 0, false},
		"old enough to the second":                    {&Match{OlderThan: strictyaml.MustDuration("1d")}, nil, "a", day, true},
		"not old enough":                              {&Match{OlderThan: strictyaml.MustDuration("1d")}, nil, "a", day - 1, false},
		"too old":                                     {&Match{YoungerThan: strictyaml.MustDuration("1d")}, nil, "a", day, false},
		"younger than nothing matches nothing":        {&Match{YoungerThan: strictyaml.MustDuration("0s")}, nil, "a", 0, false},
		"except takes tags out":                       {&Match{Tags: []string{"*"}}, &Match{Tags: []string{"a"}}, "a", 0, false},
		"except leaves others":                        {&Match{Tags: []string{"*"}}, &Match{Tags: []string{"a"}}, "b", 0, true},
		"except takes the image out":                  {nil, &Match{Images: []string{"team/*"}}, "a", 0, false},
		"except of another image leaves this one":     {nil, &Match{Images: []string{"web"}, Tags: []string{"a"}}, "a", 0, true},
		"except that is empty takes everything out":   {nil, &Match{}, "a", 0, false},
		"except combines its fields with AND, by age": {nil, &Match{Tags: []string{"a"}, OlderThan: strictyaml.MustDuration("1d")}, "a", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			selector, err := NewSelector(row.match, row.except)
			if err != nil {
				t.Fatal(err)
			}
			tags, ok := selector.Tags(image)
			if got := ok && tags.Matches(row.tag, ParseVersion(row.tag), row.age); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPatternsThatDoNotCompile(t *testing.T) {
	for _, m := range []*Match{{TagsRegex: "("}, {Semver: "nope"}} {
		if _, err := NewSelector(m, nil); err == nil {
			t.Errorf("%+v compiles as match", m)
		}
		if _, err := NewSelector(nil, m); err == nil {
			t.Errorf("%+v compiles as except", m)
		}
	}
}

// A rule that is read from JSON has the defaults of one that is read from YAML.
func TestDefaults(t *testing.T) {
	var r Retention
	if err := json.Unmarshal([]byte(`{"delete": {"older_than": "14d"}}`), &r); err != nil {
		t.Fatal(err)
	}
	if r.By != "updated_at" || r.Count != "digests" || !r.Enforce || r.Delete.OlderThan.Seconds() != 14*day {
		t.Errorf("got %+v", r)
	}
	if err := json.Unmarshal([]byte(`{"delete": {"older_than": "14"}}`), &r); err == nil {
		t.Error("a duration without a unit is accepted")
	}
}

func TestVersionsInNames(t *testing.T) {
	for _, row := range []struct{ pattern, name, want string }{
		{"api-v(?P<version>.+)", "api-v1.1.0", "1.1.0"},
		{"api-(.+)", "api-v1.1.0-rc.1_7", "1.1.0-rc.1"},
		{"(api)-(?P<version>.+)", "api-01.02.03", "1.2.3"},
		{"api-v(?P<version>.+)", "api-v1.2.3.4", "1.2.3.4"},
		{"api-v(?P<version>.+)", "api-v1.2.3.04-rc.1", "1.2.3.4-rc.1"},
		{"api-v(?P<version>.+)", "api-v1.2.3.4.5", ""},
		{"api-v(?P<version>.+)", "api-v1.2", ""},
		{"api-v(?P<version>.+)", "api-vnext", ""},
		{"api-v(?P<version>.+)", "my-api-v1.1.0", ""},
		{"api-v(?P<version>.+)", "1.1.0", ""},
		{"api(-v(.+))?", "api", ""},
	} {
		p, err := NewVersionPattern(row.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if v := p.Find(row.name); v != nil {
			got = v.String()
		}
		if got != row.want {
			t.Errorf("%s finds %q in %s, want %q", row.pattern, got, row.name, row.want)
		}
	}
	for _, pattern := range []string{"api", "(api"} {
		if _, err := NewVersionPattern(pattern); err == nil {
			t.Errorf("the pattern %s is accepted", pattern)
		}
	}
}

func TestTheOrderOfVersions(t *testing.T) {
	p, err := NewVersionPattern("(.+)")
	if err != nil {
		t.Fatal(err)
	}
	rising := []string{
		"0.9.9", "1.0.0-01", "1.0.0-2", "1.0.0-99999999999999999999999", "1.0.0-alpha", "1.0.0-rc.01", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.0.1-rc", "1.0.0.1", "1.0.0.10",
		"1.0.1", "1.09.0", "1.10.0", "2026.08.0", "2026.10.0", "2027.02.0",
	}
	for i := range rising {
		for j := range rising {
			a, b := p.Find(rising[i]), p.Find(rising[j])
			if got := a.Compare(b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s compare as %d", rising[i], rising[j], got)
			}
		}
	}
	for _, same := range [][2]string{{"1.2.3", "v01.2.3_build"}, {"1.2.3", "1.2.3.0"}, {"1.0.0-rc.1", "1.0.0-rc.01"}} {
		if p.Find(same[0]).Compare(p.Find(same[1])) != 0 {
			t.Errorf("%s and %s differ", same[0], same[1])
		}
	}
}
