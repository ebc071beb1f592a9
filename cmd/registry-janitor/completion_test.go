package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
)

// Shells call the hidden command __complete; this tests its answers.
func TestCompletion(t *testing.T) {
	for _, tt := range []struct {
		name  string
		typed []string
		want  []string
	}{
		{"a format is one of the words in the help", []string{"demo", "--format", ""}, []string{"text", "json", "markdown", "junit", "html", "csv", "github", "sarif", ":4"}},
		{"global flags are completed too", []string{"version", "--log-level", ""}, []string{"debug", "info", "warn", "error", ":4"}},
		{"a configuration is a YAML file", []string{"plan", "--config", ""}, []string{"yaml", "yml", ":8"}},
		{"the short name of a flag is completed too", []string{"plan", "-c", ""}, []string{"yaml", "yml", ":8"}},
		{"a plan is a file", []string{"apply", ""}, []string{":0"}},
		{"a number is not a file", []string{"plan", "--concurrency", ""}, []string{":4"}},
		{"an inventory is a file", []string{"init", "--inventory", ""}, []string{":0"}},
		{"init has no argument", []string{"init", ""}, []string{":4"}},
		{"an address is not a file", []string{"emulator", "--listen", ""}, []string{":4"}},
		{"a reference begins with a region", []string{"explain", ""}, []string{"rg.fr-par.scw.cloud/", "rg.nl-ams.scw.cloud/", "rg.pl-waw.scw.cloud/", ":6"}},
		{"a reference continues what was typed", []string{"history", "rg.n"}, []string{"rg.nl-ams.scw.cloud/", ":6"}},
		{"only one reference is expected", []string{"explain", "rg.fr-par.scw.cloud/prod/api:v1", ""}, []string{":4"}},
		{"a command without arguments has no completion", []string{"version", ""}, []string{":4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := testApp(&stdout, &stderr).run(t.Context(), append([]string{"__complete"}, tt.typed...)); code != janitor.ExitDone {
				t.Fatalf("exit code %d: %s", code, stderr.String())
			}
			got := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A flag that names a format takes fixed words: its help and completion list
// them, and it refuses any other word.
func TestEveryFormatIsAnEnum(t *testing.T) {
	found := 0
	each(testApp(io.Discard, io.Discard).rootCommand(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "format" {
				return
			}
			found++
			if err := f.Value.Set("nonsense"); err == nil || !strings.Contains(err.Error(), "want text, ") && !strings.Contains(err.Error(), "want text or ") {
				t.Errorf("%s --format nonsense: %v", cmd.CommandPath(), err)
			}
			if want := strings.TrimPrefix(fmt.Sprint(f.Value.Set("nonsense")), "want "); !strings.HasSuffix(f.Usage, ": "+want) {
				t.Errorf("%s: the help of --format is %q, which does not list %s", cmd.CommandPath(), f.Usage, want)
			}
		})
	})
	if found < 3 {
		t.Errorf("only %d commands have --format", found)
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var stdout, stderr bytes.Buffer
		if code := testApp(&stdout, &stderr).run(t.Context(), []string{"completion", shell}); code != janitor.ExitDone || !strings.Contains(stdout.String(), "registry-janitor") {
			t.Errorf("%s: exit code %d, %d bytes: %s", shell, code, stdout.Len(), stderr.String())
		}
	}
}

// each calls f for a command and all visible commands below it.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, below := range cmd.Commands() {
		if !below.Hidden {
			each(below, f)
		}
	}
}
