package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
)

// Every visible command has a page with all of its flags.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	t.Setenv("SOURCE_DATE_EPOCH", "1763856000") // 2025-11-23
	var stdout, stderr bytes.Buffer
	if code := testApp(&stdout, &stderr).run(t.Context(), []string{"man", dir}); code != janitor.ExitDone || stdout.Len() > 0 {
		t.Fatalf("exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
	pages := 0
	each(testApp(io.Discard, io.Discard).rootCommand(), func(cmd *cobra.Command) {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		pages++
		if !bytes.Contains(page, []byte("Nov 2025")) {
			t.Errorf("the page of %s does not have the date of SOURCE_DATE_EPOCH", cmd.CommandPath())
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !bytes.Contains(page, []byte(`\fB--`+f.Name+`\fP`)) {
				t.Errorf("the page of %s does not have --%s", cmd.CommandPath(), f.Name)
			}
		})
	})
	if pages < 15 {
		t.Errorf("there are only %d pages", pages)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "*-man.1")); err != nil || len(found) > 0 {
		t.Errorf("the hidden command has a page: %q %v", found, err)
	}
}
