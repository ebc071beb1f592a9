package policy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/schema"
)

const guide = "../docs/policies.md"

// Every policy in the guide compiles under the rules of the engine, is formatted
// as opa fmt does it, and passes the tests beside it.
func TestPoliciesOfTheGuide(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]*ast.Module{}
	tests := 0
	for i, m := range regexp.MustCompile("(?s)```rego\n(.*?)```").FindAllSubmatch(text, -1) {
		line := bytes.Count(text[:bytes.Index(text, m[1])], []byte("\n")) + 1
		name := fmt.Sprintf("policies.md:%d block %d.rego", line, i)
		set[name] = parseFormatted(t, name, m[1])
		if strings.HasSuffix(set[name].Package.Path.String(), "_test") {
			tests++
			continue
		}
		file := filepath.Join(t.TempDir(), "guide.rego")
		if err := os.WriteFile(file, m[1], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(context.Background(), Options{Paths: []string{file}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tests < 6 {
		t.Errorf("only %d policies have tests", tests)
	}
	addBuilders(t, set)
	if n := runRegoTests(t, set); n < 12 {
		t.Errorf("only %d tests ran", n)
	}
}

// The tables of fields are those of the schema: every field, its type, in order.
func TestInputOfTheGuide(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([a-z ]+) \\|")
	for _, subject := range []string{"image", "namespace"} {
		_, table, ok := strings.Cut(string(text), "<!-- input: "+subject+" -->\n")
		if !ok {
			t.Fatalf("the guide has no table for %s", subject)
		}
		table, _, _ = strings.Cut(table, "\n\n")
		got := map[string]string{}
		for _, m := range row.FindAllStringSubmatch(table, -1) {
			got[m[1]] = m[2]
		}
		input := schema.Input(subject)
		want := map[string]string{}
		definitions, _ := input["definitions"].(map[string]any)
		fields(want, "", input, definitions)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: schema and guide differ (-schema +guide):\n%s", subject, diff)
		}
	}
}

// fields lists the fields of a schema with their types. Objects of the top
// level are left out.
func fields(out map[string]string, prefix string, input, definitions map[string]any) {
	for name, property := range input["properties"].(map[string]any) {
		p := property.(map[string]any)
		path := prefix + name
		if ref, ok := p["$ref"].(string); ok {
			p = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		items, _ := p["items"].(map[string]any)
		switch {
		case p["type"] == "object":
			if prefix != "" {
				out[path] = "object"
			}
			if p["properties"] != nil { // else it has any keys
				fields(out, path+".", p, definitions)
			}
		case items != nil && items["type"] == "object":
			out[path] = "array"
			fields(out, path+"[].", items, definitions)
		case items != nil:
			out[path] = "array of " + items["type"].(string)
		default:
			out[path] = p["type"].(string)
		}
	}
}
