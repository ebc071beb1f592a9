package registry_janitor_test

import (
	"os"
	"strings"
	"testing"
)

// The table of packages in docs/design.md has every package.
func TestTheDesignNamesEveryPackage(t *testing.T) {
	design, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(design), "\n## Packages\n")
	if !found {
		t.Fatal("docs/design.md has no section Packages")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	for name := range rules().packages {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the table of packages in docs/design.md lacks %s", name)
		}
	}
}
