package policy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
)

// Every example policy compiles under the rules of the engine, has tests of its
// own, and passes them.
func TestExamplePolicies(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*.rego")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no example policies", err)
	}
	modules := map[string]*ast.Module{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if modules[file], err = ast.ParseModule(file, string(raw)); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		if _, err := os.Stat(strings.TrimSuffix(file, ".rego") + "_test.rego"); err != nil {
			t.Errorf("%s has no tests", file)
		}
		if _, err := New(context.Background(), Options{Paths: []string{file}}); err != nil {
			t.Error(err)
		}
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithStrict(true)
	results, err := tester.NewRunner().SetCompiler(compiler).RaiseBuiltinErrors(true).Run(context.Background(), modules)
	if err != nil {
		t.Fatal(err)
	}
	for result := range results {
		if result.Fail || result.Error != nil {
			t.Errorf("%s: %v", result, result.Error)
		}
	}
}
