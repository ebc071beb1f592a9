package author

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	build "github.com/open-policy-agent/opa/v1/compile"
)

func TestTestsInBundlesAreNoPartOfTheSet(t *testing.T) {
	o := files(t, map[string]string{
		"src/own.rego":      "package janitor.image.bundled\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}",
		"src/own_test.rego": "package janitor.image.bundled_test\n\nimport data.janitor.image.bundled\n\ntest_it if count(bundled.delete) == 0 with input.tags as []",
	})
	var out bytes.Buffer
	if err := build.New().WithPaths(filepath.Join(o.Dir, "src")).WithAsBundle(true).WithOutput(&out).Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.Dir, "policies.tar.gz")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Paths = []string{path}
	report, findings, err := Test(t.Context(), o, TestOptions{})
	if err != nil || len(findings) > 0 || report.Passed != 1 {
		t.Fatal(report, findings, err)
	}
	d, err := Describe(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range d.Modules {
		if strings.HasSuffix(m.File, "_test.rego") {
			t.Errorf("%s is part of the set", m.File)
		}
		if m.Package == "janitor.image.bundled" && m.Bundle != "policies.tar.gz" {
			t.Errorf("bundle is %q", m.Bundle)
		}
	}
}
