package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
)

// blocks returns the fenced code of a language in a Markdown file.
func blocks(t *testing.T, path, language string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	return out
}

// The program has every command of the README, with the flags shown. This runs only
// the help of each; the stories in testdata run the commands.
func TestCommandsOfTheReadme(t *testing.T) {
	seen := 0
	for _, block := range blocks(t, "../../README.md", "console") {
		for line := range strings.Lines(block) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if !ok {
				continue
			}
			command, _, _ = strings.Cut(command, "#")
			args, ok := strings.CutPrefix(strings.Replace(command, "go run ./cmd/registry-janitor", "registry-janitor", 1), "registry-janitor ")
			if !ok {
				continue
			}
			seen++
			fields := slices.DeleteFunc(strings.Fields(args), func(f string) bool { return strings.HasPrefix(f, "rg.") })
			var out bytes.Buffer
			if code := testApp(&out, &out).run(context.Background(), append(fields, "--help")); code != 0 || !strings.Contains(out.String(), "Usage:") {
				t.Errorf("%s: exit code %d: %s", command, code, out.String())
			}
		}
	}
	if seen < 4 {
		t.Errorf("the README has only %d commands", seen)
	}
}

// The configuration and the policy of the README are valid.
func TestExamplesOfTheReadme(t *testing.T) {
	configs, policies := blocks(t, "../../README.md", "yaml"), blocks(t, "../../README.md", "rego")
	if len(configs) == 0 || len(policies) == 0 {
		t.Fatal("the README has no configuration or no policy")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "policies"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range policies {
		if err := os.WriteFile(filepath.Join(dir, "policies", "readme.rego"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range append(configs, blocks(t, "../../docs/configuration.md", "yaml")...) {
		c, err := config.Parse(filepath.Join(dir, "janitor.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := janitor.Policies(context.Background(), c, policy.Options{}); err != nil {
			t.Error(err)
		}
	}
}
