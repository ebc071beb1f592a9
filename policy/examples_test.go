package policy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Every example policy compiles under the rules of the engine, is formatted as
// opa fmt does it, has a title, has tests of its own, and passes them.
func TestExamplePolicies(t *testing.T) {
	files, err := filepath.Glob("../examples/policies/*.rego")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no example policies", err)
	}
	set := map[string]*ast.Module{}
	policies := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set[file] = parseFormatted(t, file, raw)
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		policies++
		if !bytes.Contains(raw, []byte("# title: ")) || !bytes.Contains(raw, []byte("# description: ")) {
			t.Errorf("%s has no title or no description", file)
		}
		if _, err := os.Stat(strings.TrimSuffix(file, ".rego") + "_test.rego"); err != nil {
			t.Errorf("%s has no tests", file)
		}
		if _, err := New(context.Background(), Options{Paths: []string{file}}); err != nil {
			t.Error(err)
		}
	}
	if policies < 8 {
		t.Errorf("there are only %d policies", policies)
	}
	if _, err := New(context.Background(), Options{Paths: []string{"../examples/policies"}}); err != nil {
		t.Errorf("all of them together: %v", err)
	}
	addBuilders(t, set)
	runRegoTests(t, set)
}

// What the example policies allocate grows with the tags of an image, and not
// faster: none uses an idiom that reads every tag for every tag. Ten times the
// tags may allocate fifteen times as much; a quadratic policy allocates a hundred
// times as much.
func TestExamplePoliciesAreLinear(t *testing.T) {
	e, err := New(context.Background(), Options{Paths: []string{"../examples/policies"}})
	if err != nil {
		t.Fatal(err)
	}
	judge := e.At(now, Everything)
	cost := func(n int) float64 {
		tags := make([]registry.Tag, n)
		for i := range tags {
			name := fmt.Sprintf("pr-%d", i)
			if i%3 == 0 {
				name = fmt.Sprintf("1.%d.0-rc.1", i)
			}
			tags[i] = aTag(name, time.Duration(i)*time.Hour)
		}
		img := anImage(tags...)
		return testing.AllocsPerRun(2, func() {
			verdict, err := judge.Image(context.Background(), img)
			if err != nil || verdict.Err != nil {
				t.Fatal(err, verdict.Err)
			}
		})
	}
	if few, many := cost(300), cost(3000); many > 15*few {
		t.Errorf("300 tags allocate %.0f times, 3000 tags %.0f times", few, many)
	}
}

// parseFormatted parses a module and checks that opa fmt would leave it alone.
func parseFormatted(t *testing.T, file string, raw []byte) *ast.Module {
	t.Helper()
	formatted, err := format.Source(file, raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(formatted, raw) {
		t.Errorf("%s is not formatted: opa fmt makes it\n%s", file, formatted)
	}
	module, err := ast.ParseModule(file, string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// addBuilders adds the library with which users build inputs for their tests.
func addBuilders(t *testing.T, set map[string]*ast.Module) {
	t.Helper()
	raw, err := os.ReadFile("testing/testing.rego")
	if err != nil {
		t.Fatal(err)
	}
	if set["testing.rego"], err = ast.ParseModule("testing.rego", string(raw)); err != nil {
		t.Fatal(err)
	}
}

func runRegoTests(t *testing.T, set map[string]*ast.Module) (count int) {
	t.Helper()
	compiler := ast.NewCompiler().WithCapabilities(builtins.Capabilities()).WithStrict(true)
	results, err := tester.NewRunner().SetCompiler(compiler).RaiseBuiltinErrors(true).SetModules(set).RunTests(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for result := range results {
		count++
		if result.Fail || result.Error != nil {
			t.Errorf("%s: %v", result, result.Error)
		}
	}
	return count
}
