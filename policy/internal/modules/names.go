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
	known, flow := names{"config": true}, newFlow()
	for _, key := range schema.ConfigKeys() {
		known[key] = true
	}
	whole := map[string]bool{}
	for _, subject := range []Subject{Image, Namespace} {
		known.schema(schema.Input(string(subject)), flow)
		used := Reachable(s.Own(), subject)
		_, compiled := compile(used, NewUntypedCompiler)
		for _, m := range used {
			if c := compiled[m.File]; c != nil {
				flow.add(c)
				whole[m.File] = len(c.Rules) == len(m.Parsed.Rules)
			}
		}
	}
	hints := slices.Sorted(maps.Keys(known)) // first those that every policy knows
	known.data(s.Data)
	known.data(s.files.Config)
	for _, m := range s.Own() {
		known.module(m.Parsed, whole[m.File])
	}
	flow.walkRules()
	for _, key := range flow.defined {
		known.define(key)
	}
	hints = append(hints, slices.Sorted(maps.Keys(known))...)
	var findings []*Finding
	for _, u := range flow.used {
		if word := string(u.key.Value.(ast.String)); !known[word] {
			findings = append(findings, s.unknownName(u, word, hints))
		}
	}
	return findings
}

func (s *Set) unknownName(u use, word string, hints []string) *Finding {
	m, rule := enclosing(s.Modules, u.rule.Location)
	if m.File != u.key.Location.File { // it comes from another module
		m, rule = enclosing(s.Modules, u.key.Location)
	}
	f := m.Finding(u.key.Location, rule, Problem, "unknown-field", "unknown name %q: no schema, data file, rule or object has it", word)
	if meant := text.Nearest(word, hints); meant != "" {
		f.WithHint("did you mean %s?", meant)
	}
	return f
}

// names are those that a policy set defines.
type names map[string]bool

func (n names) define(name *ast.Term) {
	if word, ok := name.Value.(ast.String); ok {
		n[string(word)] = true
	}
}

// schema defines the properties of a JSON Schema, at any depth. A property that allows
// others than those it lists is open.
func (n names) schema(node map[string]any, flow *flow) {
	for key, inner := range node {
		of, ok := inner.(map[string]any)
		if !ok {
			continue
		}
		n.schema(of, flow)
		if key != "properties" {
			continue
		}
		for name, property := range of {
			n[name] = true
			p := property.(map[string]any)
			flow.put(field(name), openIn(p))
		}
	}
}

// openIn is what the schema of a property says of its keys.
func openIn(property map[string]any) value {
	if property["type"] == "object" && property["additionalProperties"] != false {
		return value{keys: open}
	}
	inner, _ := property["properties"].(map[string]any)
	for _, p := range inner {
		if openIn(p.(map[string]any)).keys == open {
			return value{loose: true}
		}
	}
	return value{}
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
