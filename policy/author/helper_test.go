package author

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/registry-janitor/registry-janitor/policy"
)

const header = "package janitor.image.own\n\n"

const titled = "# METADATA\n# title: Own\npackage janitor.image.own\n\n"

const titledNamespace = "# METADATA\n# title: Own\npackage janitor.namespace.own\n\n"

// files writes files into a folder, and gives the options of a policy set of it.
func files(t testing.TB, texts map[string]string) policy.Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return policy.Options{Paths: []string{dir}, Dir: dir}
}

func newEngine(t testing.TB, o policy.Options) *policy.Engine {
	t.Helper()
	e, err := policy.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
