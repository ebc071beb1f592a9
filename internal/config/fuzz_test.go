package config

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

func FuzzParse(f *testing.F) {
	for _, c := range bad {
		f.Add([]byte(c.yaml))
	}
	for _, file := range []string{"testdata/sample.yaml", "testdata/everything.yaml"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("a: &a [*a]\nb: {<<: *a}\n? {}\n: ''\n"))
	f.Add([]byte("%YAML 1.1\n%TAG ! tag:x,2000:\n---\n!!map {limits: !x {}}\n...\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := Parse("janitor.yaml", data)
		if err == nil {
			checkValid(t, config)
			return
		}
		if config != nil {
			t.Error("a bad file has a configuration")
		}
		var problems strictyaml.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("want Problems, got %T %v", err, err)
		}
		lines, last := bytes.Count(data, []byte("\n"))+1, 0
		for _, p := range problems {
			if p.Line < max(1, last) || p.Line > lines {
				t.Errorf("line %d of %d, after line %d: %s", p.Line, lines, last, p)
			}
			if p.Message == "" || p.Hint == "" || bytes.ContainsRune([]byte(p.String()), '\n') {
				t.Errorf("want a message of one line with a remedy: %q", p)
			}
			last = p.Line
		}
	})
}

// checkValid holds what every accepted configuration has.
func checkValid(t *testing.T, c *Config) {
	if digest := c.Digest(); digest != c.Digest() || len(c.PolicyPaths()) != len(c.Policies) {
		t.Error("the configuration has two digests, or lost a policy")
	}
	names := map[string]bool{}
	for _, r := range c.Retention {
		if r.Name == "" || names[r.Name] {
			t.Errorf("the name %q is not unique", r.Name)
		}
		names[r.Name] = true
		if r.Match == nil || describeMatch(r.Match, nil) == "" {
			t.Errorf("%s: the match matches everything", r.Name)
		}
		if r.Keep == nil && (r.Delete == nil || r.Delete.OlderThan.Duration() <= 0 && r.Delete.OlderThanLabel == "") {
			t.Errorf("%s: no keep and no age", r.Name)
		}
		if k := r.Keep; k != nil && k.Last < 1 && k.Within.Duration() <= 0 && !k.All && k.Semver == nil &&
			k.Hourly+k.Daily+k.Weekly+k.Monthly+k.Yearly < 1 {
			t.Errorf("%s: keeps nothing", r.Name)
		}
		if r.GroupBy != "" && regexp.MustCompile(r.GroupBy).NumSubexp() < 1 {
			t.Errorf("%s: groups by nothing", r.Name)
		}
	}
	if p := c.Limits.MaxDeletionPercent; p < 0 || p > 100 || c.Limits.MaxDeletions < 0 || c.Limits.KeepAtLeast < 0 {
		t.Errorf("limits %+v", c.Limits)
	}
	if len(c.Scaleway.Regions) == 0 || len(c.Scope.Include) == 0 {
		t.Error("nothing to scan")
	}
}

// A string that passes a check must be usable, and any other must have a message of
// one line and a remedy.
func fuzzCheck(f *testing.F, check func(string) (message, hint string), valid func(t *testing.T, s string)) {
	f.Fuzz(func(t *testing.T, s string) {
		message, hint := check(s)
		if message == "" {
			valid(t, s)
			return
		}
		if hint == "" || strings.ContainsAny(message+hint, "\n\r") {
			t.Errorf("%q: want a message of one line with a remedy: %q (%q)", s, message, hint)
		}
	})
}

func FuzzGlob(f *testing.F) {
	for _, s := range []string{"**", "pr-*", "{a,b}", "[a-z]?", "\\*", "[", "{a", "!a", "a/**/b", "[^a]", "[!a]", "{a,{b,c}}", ""} {
		f.Add(s)
	}
	fuzzCheck(f, checkGlob, func(t *testing.T, s string) {
		for _, name := range []string{"", "a", "pr-12", "team/api", s} {
			if _, err := doublestar.Match(s, name); err != nil {
				t.Errorf("%q passes, but cannot be matched with %q: %v", s, name, err)
			}
		}
	})
}

func FuzzScope(f *testing.F) {
	for _, s := range []string{"**", "prod/**", "prod", "/x", "x/", "*/*", "!a/b", "a/["} {
		f.Add(s)
	}
	fuzzCheck(f, checkScope, func(t *testing.T, s string) {
		if s != "**" && !strings.Contains(s, "/") {
			t.Errorf("%q passes, but matches no namespace/image", s)
		}
	})
}

func FuzzRegex(f *testing.F) {
	for _, s := range []string{"pr-[0-9]+", "a)|(b", "(?i)x", "(", "a{1001}", "(?m)^a$", "\\pL", "(?<n>a)", "y\nx", "a|b", ""} {
		f.Add(s)
	}
	fuzzCheck(f, checkRegex, func(t *testing.T, s string) {
		tree, err := syntax.Parse("^(?:"+s+")$", syntax.Perl)
		if err != nil {
			t.Fatalf("%q passes, but does not parse: %v", s, err)
		}
		last := len(tree.Sub) - 1
		if tree.Op != syntax.OpConcat || tree.Sub[0].Op != syntax.OpBeginText || tree.Sub[last].Op != syntax.OpEndText {
			t.Errorf("%q escapes its anchors: %s", s, tree)
		}
	})
}

func FuzzGroup(f *testing.F) {
	for _, s := range []string{"env-(?P<group>[a-z]+)-.*", "(a)(b)", "a", "(?:a)", "\\(a\\)", "[(]", "(a", "(?P<group>a)(?P<group>b)"} {
		f.Add(s)
	}
	fuzzCheck(f, checkGroup, func(t *testing.T, s string) {
		if regexp.MustCompile("^(?:"+s+")$").NumSubexp() < 1 {
			t.Errorf("%q groups by nothing", s)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"*", ">=1.0.0 <2.0.0", "^1.2", "~1", "1 - 2", "1 || 2", ">", "", ">=1.0.0-0", "=v1", "1.x"} {
		f.Add(s)
	}
	version := semver.MustParse("1.2.3-rc.1")
	fuzzCheck(f, checkRange, func(t *testing.T, s string) {
		span, err := semver.NewConstraint(s)
		if err != nil {
			t.Fatalf("%q passes, but is not a range: %v", s, err)
		}
		span.Check(version) // must not panic
	})
}
