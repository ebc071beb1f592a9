package registry_janitor_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The table of packages in docs/design.md has every package.
func TestTheDesignNamesEveryPackage(t *testing.T) {
	table := section(t, "docs/design.md", "Packages")
	for name := range rules().packages {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the table of packages in docs/design.md lacks %s", name)
		}
	}
}

// The tables of README.md and docs/design.md have every folder at the top.
func TestTheDocumentsNameEveryFolder(t *testing.T) {
	readme, design := section(t, "README.md", "The project"), section(t, "docs/design.md", "Packages")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	ignored := []string{"bin", "dist"} // what builds leave behind
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() || strings.HasPrefix(name, ".") || slices.Contains(ignored, name) {
			continue
		}
		if !strings.Contains(readme, "`"+name+"/") {
			t.Errorf("the table of folders in README.md lacks %s", name)
		}
		if !strings.Contains(design, "`"+name+"`") && !strings.Contains(design, "`"+name+"/") {
			t.Errorf("the table of packages in docs/design.md lacks %s", name)
		}
	}
}

// section returns the text below a title of a document.
func section(t *testing.T, file, title string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(text), "\n## "+title+"\n")
	if !found {
		t.Fatalf("%s has no section %s", file, title)
	}
	body, _, _ = strings.Cut(body, "\n## ")
	return body
}
