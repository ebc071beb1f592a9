package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

func TestTheSchemaAcceptsWhatParseAccepts(t *testing.T) {
	compiled := compileSchema(t)
	for _, file := range []string{"testdata/sample.yaml", "testdata/everything.yaml"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file, raw); err != nil {
			t.Error(err)
		}
		if err := compiled.Validate(instance(t, raw)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, text := range []string{"", "{}", "retention: []", "timezone: UTC"} {
		if err := compiled.Validate(instance(t, []byte(text))); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What the schema cannot check: the syntax of regexes, globs, ranges, zones and
// schedules, rules between two keys, and how a value is written.
var invisible = []string{
	"is not valid", "is not a valid", "never matches a name", "matches no namespace/image", "is not a version range", "is not a known time zone", "is not a cron",
	"never happens", "the first that matches counts", "must not name a time zone", "matches nothing together", "has the same name", "cannot be used in a rule", "must be private or public for namespaces",
	"needs an age", "but content.read is never", "has no effect", "keeps nothing", "must be longer than", "must not begin or end", "must not have line breaks", "must be a whole number, not the number 010",
	"longer than 292 years", "is out of range", "needs ledger.dsn", "YAML", "UTF-8", "has no capture group", "is a duplicate key", "merge key", "not a plain word", "repetitions written out", `not "maybe"`, "a value tagged",
}

func TestTheSchemaRefusesTheBadConfigurationsThatItCanSee(t *testing.T) {
	compiled := compileSchema(t)
	refused := 0
	for _, c := range bad {
		hidden := slices.ContainsFunc(invisible, func(s string) bool { return strings.Contains(c.want[0], s) })
		if hidden {
			continue
		}
		if err := compiled.Validate(instance(t, []byte(c.yaml))); err == nil {
			t.Errorf("%s: the schema accepts what has the problem %s", c.name, c.want[0])
		}
		refused++
	}
	if refused < 60 {
		t.Errorf("only %d bad configurations are put to the schema", refused)
	}
}

func TestTheSchemaHasTheKeysOfTheFormat(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	want, got := map[string]facts{}, map[string]facts{}
	factsOfTypes(reflect.TypeFor[Config](), "", want)
	factsOfSchema(t, root, root, "", got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-types +schema):\n%s", diff)
	}
}

// facts are what both the types and the schema define about a key.
type facts struct {
	Required bool
	Options  string
}

func factsOfTypes(mapping reflect.Type, path string, into map[string]facts) {
	for _, f := range strictyaml.FieldsOf(mapping) {
		at := strictyaml.Join(path, f.Key)
		into[at] = facts{f.Tag.Get("need") != "", f.Tag.Get("one")}
		if inner := strictyaml.Nested(f.Type); inner != nil {
			factsOfTypes(inner, at, into)
		}
	}
}

func factsOfSchema(t *testing.T, root, node map[string]any, path string, into map[string]facts) {
	if node["additionalProperties"] != false {
		t.Errorf("%q: the schema accepts unknown keys", path)
	}
	required, _ := node["required"].([]any)
	for key, value := range node["properties"].(map[string]any) {
		at, property := strictyaml.Join(path, key), value.(map[string]any)
		if property["description"] == nil {
			t.Errorf("%s: the schema has no description", at)
		}
		property = deref(root, property)
		var options []string
		for _, o := range listOf(property["enum"]) {
			options = append(options, fmt.Sprint(o))
		}
		into[at] = facts{slices.Contains(required, any(key)), strings.Join(options, "|")}
		if items, ok := property["items"].(map[string]any); ok {
			property = deref(root, items)
			if forms := listOf(property["oneOf"]); property["properties"] == nil && forms != nil { // a text, or a mapping
				property = forms[1].(map[string]any)
			}
		}
		if property["properties"] != nil {
			factsOfSchema(t, root, property, at, into)
		}
	}
}

func deref(root, node map[string]any) map[string]any {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node
		}
		node = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
}

func listOf(value any) []any {
	entries, _ := value.([]any)
	return entries
}

func TestTheDefaultsOfTheSchemaAreTheDefaults(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("janitor.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c.Document())
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	compared := 0
	var compare func(node, value map[string]any, path string)
	compare = func(node, value map[string]any, path string) {
		for key, property := range node["properties"].(map[string]any) {
			property := property.(map[string]any)
			if want, ok := property["default"]; ok && !slices.Contains([]string{"ledger", "notifications", "run_timeout"}, path+key) {
				compared++
				if diff := cmp.Diff(want, value[key]); diff != "" {
					t.Errorf("%s%s (-schema +document):\n%s", path, key, diff)
				}
			}
			if inner, ok := value[key].(map[string]any); ok {
				compare(property, inner, path+key+".")
			}
		}
	}
	compare(root, document, "")
	if compared < 20 {
		t.Errorf("only %d defaults compared", compared)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("janitor.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("janitor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// instance is YAML as an editor passes it to a schema: dates are strings.
func instance(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return plainDates(value)
}

func plainDates(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k, v := range value {
			value[k] = plainDates(v)
		}
	case map[any]any:
		plain := map[string]any{}
		for _, v := range value {
			plain["not a string"] = plainDates(v)
		}
		return plain
	case []any:
		for i, v := range value {
			value[i] = plainDates(v)
		}
	case interface{ Format(string) string }:
		return value.Format("2006-01-02")
	}
	return value
}
