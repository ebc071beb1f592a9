package registry_janitor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A tag of an action or an image can be moved to other code, a commit or a digest cannot.
func TestWhatBuildsAReleaseIsPinned(t *testing.T) {
	workflows, err := filepath.Glob(".github/workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`@[0-9a-f]{40} # v\d|@sha256:[0-9a-f]{64}\b|^FROM (--platform=\S+ )?\$\{`)
	found := 0
	for _, file := range append(workflows, "Dockerfile", "Dockerfile.release") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^(.*\buses: .*|\s*container: .*|FROM .*)$`).FindAllString(string(text), -1) {
			found++
			if !pinned.MatchString(line) {
				t.Errorf("%s: pin it by commit or digest: %s", file, line)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d actions and images are found", found)
	}
}
