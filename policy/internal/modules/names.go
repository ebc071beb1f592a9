package modules

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/schema"
)

// checkNames finds constant fields and keys that nothing defines. In Rego they are
// undefined, and a keep that is undefined protects nothing.
//
// It goes by name: a name is known if the schema of an input, data.config, a data
// file, a package, a rule or an object literal of the set has it, wherever that
// is. So it does not matter how an object reached the place where it is used. Only
// the keys of values that may have any key, see openness, are free.
func (s *Set) checkNames() []*Finding {
	known, flow := names{}, newFlow()
	known.schemas(flow)
	hints := slices.Sorted(maps.Keys(known)) // first those that every policy knows
	known.data(s.Data)
	known.data(s.files.Config)
	whole := map[string]bool{}
	for _, subject := range []Subject{Image, Namespace} {
		used := Reachable(s.Own(), subject)
		_, compiled := compile(used, NewUntypedCompiler)
		for _, m := range used {
			if c := compiled[m.File]; c != nil {
				flow.add(c)
				whole[m.File] = len(c.Rules) == len(m.Parsed.Rules)
			}
		}
	}
	for _, m := range s.Own() {
		known.module(m.Parsed, whole[m.File])
	}
	flow.settle()
	for _, key := range flow.defined {
		known.define(key)
	}
	hints = append(hints, slices.Sorted(maps.Keys(known))...)
	var findings []*Finding
	for _, u := range flow.used {
		word := string(u.key.Value.(ast.String))
		if known[word] {
			continue
		}
		m, rule := enclosing(s.Modules, u.rule.Location)
		if m.File != u.key.Location.File { // it comes from another module
			m, rule = enclosing(s.Modules, u.key.Location)
		}
		f := m.Finding(u.key.Location, rule, Problem, "unknown-field", "unknown name %q: no schema, data file, rule or object has it", word)
		if meant := text.Nearest(word, hints); meant != "" {
			f.WithHint("did you mean %s?", meant)
		}
		findings = append(findings, f)
	}
	return findings
}

// names are those that a policy set defines.
type names map[string]bool

func (n names) define(name *ast.Term) {
	if word, ok := name.Value.(ast.String); ok {
		n[string(word)] = true
	}
}

// schemas defines the fields of the inputs and the keys of data.config.
func (n names) schemas(flow *flow) {
	for _, subject := range []Subject{Image, Namespace} {
		n.schema(schema.Input(string(subject)), flow)
	}
	for _, key := range append(schema.ConfigKeys(), "config") {
		n[key] = true
	}
}

// schema defines the properties of a JSON Schema. A property that allows others
// than those it lists is open.
func (n names) schema(node map[string]any, flow *flow) {
	properties, _ := node["properties"].(map[string]any)
	for name, property := range properties {
		n[name] = true
		inner := property.(map[string]any)
		n.schema(inner, flow)
		if inner["type"] == "object" && inner["additionalProperties"] != false {
			flow.put(field(name), value{keys: open})
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		n.schema(items, flow)
	}
	definitions, _ := node["definitions"].(map[string]any)
	for _, definition := range definitions {
		n.schema(definition.(map[string]any), flow)
	}
}

// data defines the keys of data files, at any depth.
func (n names) data(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			n[key] = true
			n.data(inner)
		}
	case []any:
		for _, inner := range v {
			n.data(inner)
		}
	}
}

// module defines the words of a module's package and of its rules. What the
// compiler left out, because it is broken or because nothing uses it, defines the
// keys of all its objects too.
func (n names) module(m *ast.Module, compiled bool) {
	for _, word := range m.Package.Path {
		n.define(word)
	}
	for _, rule := range m.Rules {
		n[RuleName(rule)] = true
		for _, word := range rule.Head.Ref() {
			n.define(word)
		}
	}
	if !compiled {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			if object, ok := t.Value.(ast.Object); ok {
				object.Foreach(func(key, _ *ast.Term) { n.define(key) })
			}
			return false
		})
	}
}
