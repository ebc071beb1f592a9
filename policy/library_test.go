package policy

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/policy/library"
	"github.com/registry-janitor/registry-janitor/policy/schema"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Every built-in policy has tests in Rego; they run here through OPA's tester,
// under the builtins.Capabilities and the schema of the real engine.
func TestLibrary(t *testing.T) {
	files, err := fs.Glob(library.Files, "*.rego")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]*ast.Module{}
	tested := map[string]bool{}
	for _, file := range files {
		raw, err := library.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if set[file], err = ast.ParseModule(file, string(raw)); err != nil {
			t.Fatal(err)
		}
		if policy, isTest := strings.CutSuffix(file, "_test.rego"); isTest {
			tested[policy+".rego"] = true
		}
	}
	for file := range set {
		if !strings.HasSuffix(file, "_test.rego") && !tested[file] {
			t.Errorf("%s has no tests", file)
		}
	}
	compiler := ast.NewCompiler().WithCapabilities(builtins.Capabilities()).WithStrict(true)
	results, err := tester.NewRunner().SetCompiler(compiler).RaiseBuiltinErrors(true).SetModules(set).RunTests(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for result := range results {
		count++
		if result.Fail || result.Error != nil {
			t.Errorf("%s: %v", result, result.Error)
		}
	}
	if count < 25 {
		t.Errorf("only %d tests ran", count)
	}
}

// The input really has the fields that the schema promises, and no other.
func TestInputIsWhatTheSchemaSays(t *testing.T) {
	e := newEngine(t, builds, header+"warn contains \"x\" if input.now")
	img := anImage(aTag("v1.0.0", 3*days), aTag("sha256-"+strings.Repeat("a", 64)+".sig", 2*days))
	img.Contents = map[string]*registry.Content{"sha256:v1.0.0": anyContent()}
	j := e.At(now, Everything)
	image, _ := j.facts.Image(img, nil).Document(facts.Marking)
	for subject, input := range map[string]ast.Value{
		"image":     image,
		"namespace": j.facts.Namespace(img.Namespace, true),
	} {
		var got map[string]any
		plain, err := ast.JSON(input)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := json.Marshal(plain)
		_ = json.Unmarshal(raw, &got)
		delete(got, "facts")
		input := schema.Input(subject)
		compareKeys(t, subject, got, input, input["definitions"].(map[string]any))
	}
}

func compareKeys(t *testing.T, path string, value any, input, definitions map[string]any) {
	t.Helper()
	if ref, ok := input["$ref"].(string); ok {
		input = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
	switch v := value.(type) {
	case map[string]any:
		properties, _ := input["properties"].(map[string]any)
		if properties == nil {
			for key, element := range v {
				compareKeys(t, path+"."+key, element, input["additionalProperties"].(map[string]any), definitions)
			}
			return
		}
		want := map[string]bool{}
		for _, name := range input["required"].([]any) {
			want[name.(string)] = true
		}
		for key := range v {
			if properties[key] == nil {
				t.Errorf("%s.%s is not in the schema", path, key)
				continue
			}
			delete(want, key)
			compareKeys(t, path+"."+key, v[key], properties[key].(map[string]any), definitions)
		}
		if diff := cmp.Diff([]string(nil), slices.Sorted(maps.Keys(want))); diff != "" {
			t.Errorf("%s lacks %s", path, diff)
		}
	case []any:
		for _, element := range v {
			compareKeys(t, path+"[]", element, input["items"].(map[string]any), definitions)
		}
	case string:
		if input["type"] != "string" {
			t.Errorf("%s is a string", path)
		}
	case float64:
		if input["type"] != "integer" || v != float64(int64(v)) {
			t.Errorf("%s is the number %v", path, v)
		}
	case bool:
		if input["type"] != "boolean" {
			t.Errorf("%s is a boolean", path)
		}
	}
}
