package config

import (
	"bytes"
	"errors"
	"os"
	"testing"
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
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("want Problems, got %T %v", err, err)
		}
		lines, last := bytes.Count(data, []byte("\n"))+1, 0
		for _, p := range problems {
			if p.Line < max(1, last) || p.Line > lines {
				t.Errorf("line %d of %d, after line %d: %s", p.Line, lines, last, p)
			}
			if p.Message == "" || p.Hint == "" || bytes.ContainsRune([]byte(p.String()), '\n') {
				t.Errorf("no message of one line with a remedy: %q", p)
			}
			last = p.Line
		}
	})
}

// checkValid holds what every accepted configuration has.
func checkValid(t *testing.T, c *Config) {
	if c.Digest() != c.Digest() || len(c.PolicyPaths()) != len(c.Policies) {
		t.Error("a configuration that does not know itself")
	}
	names := map[string]bool{}
	for _, r := range c.Retention {
		if r.Name == "" || names[r.Name] {
			t.Errorf("the name %q is not its own", r.Name)
		}
		names[r.Name] = true
		if r.Match == nil || matchWords(r.Match, nil) == "" {
			t.Errorf("%s: the match takes everything", r.Name)
		}
		if r.Keep == nil && (r.Delete == nil || r.Delete.OlderThan.Duration() <= 0) {
			t.Errorf("%s: no keep and no age", r.Name)
		}
		if r.Keep != nil && r.Keep.Last < 1 && r.Keep.Within.Duration() <= 0 && !r.Keep.All {
			t.Errorf("%s: keeps nothing", r.Name)
		}
	}
	if p := c.Limits.MaxDeletionPercent; p < 0 || p > 100 || c.Limits.MaxDeletions < 0 || c.Limits.KeepAtLeast < 0 {
		t.Errorf("limits %+v", c.Limits)
	}
	if len(c.Scaleway.Regions) == 0 || len(c.Scope.Include) == 0 {
		t.Error("nothing to scan")
	}
}
