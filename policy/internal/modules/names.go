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
// is. So it does not matter how an object reached the place where it is used. Keys
// of open and of keyed values, see openness, are free.
func (s *Set) checkNames() []*Finding {
	n := &names{defined: map[string]bool{}, fields: map[string]openness{}, rules: map[string]openness{}, params: map[string][]param{}, texts: map[string]*ast.Term{}, inputs: map[string]bool{}}
	n.schemas()
	hints := slices.Sorted(maps.Keys(n.defined)) // first those that every policy knows
	n.data(s.Data)
	n.data(s.files.Config)
	var walkers []*walker
	for _, m := range s.Own() {
		n.module(m)
		walkers = append(walkers, newWalkers(n, m)...)
	}
	for n.changed = true; n.changed; { // until the walks find nothing new
		n.changed = false
		for _, w := range walkers {
			w.walk()
		}
	}
	hints = append(hints, slices.Sorted(maps.Keys(n.defined))...)
	used := s.Used()
	var findings []*Finding
	for _, w := range walkers {
		if !used[w.module.File] {
			continue // it may be about another input
		}
		w.unknown = func(at *ast.Location, name string) {
			f := w.module.Finding(at, w.name, Problem, "unknown-field", "unknown name %q: no schema, data file, rule or object has it", name)
			if meant := text.Nearest(name, hints); meant != "" {
				f.WithHint("did you mean %s?", meant)
			}
			findings = append(findings, f)
		}
		w.walk()
	}
	return findings
}

// names is what is known of the names of a policy set.
type names struct {
	defined map[string]bool
	fields  map[string]openness  // of the values of fields, by the field's name
	rules   map[string]openness  // of the values of rules, by path: data.acme.lib.rule
	params  map[string][]param   // of functions, by path
	texts   map[string]*ast.Term // of rules that are a constant text, by path
	inputs  map[string]bool      // the rules that replace an input, by path
	changed bool                 // the walk that is under way found something new
}

// param is what calls pass as one argument of a function.
type param struct {
	openness openness
	values   []*ast.Term // constants
}

func (n *names) define(name string) {
	if !n.defined[name] {
		n.defined[name], n.changed = true, true
	}
}

// schemas defines the fields of the inputs and the keys of data.config.
func (n *names) schemas() {
	for _, subject := range []Subject{Image, Namespace} {
		n.schema(schema.Input(string(subject)))
	}
	for _, key := range append(schema.ConfigKeys(), "config") {
		n.define(key)
	}
}

// schema defines the properties of a JSON Schema. A property that allows others
// than those it lists is open.
func (n *names) schema(node map[string]any) {
	if properties, ok := node["properties"].(map[string]any); ok {
		for name, property := range properties {
			n.define(name)
			inner, _ := property.(map[string]any)
			n.schema(inner)
			if inner["type"] == "object" && inner["additionalProperties"] != false {
				n.fields[name] = open
			}
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		n.schema(items)
	}
	definitions, _ := node["definitions"].(map[string]any)
	for _, definition := range definitions {
		n.schema(definition.(map[string]any))
	}
}

// data defines the keys of data files, at any depth.
func (n *names) data(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			n.define(key)
			n.data(inner)
		}
	case []any:
		for _, inner := range v {
			n.data(inner)
		}
	}
}

// module defines the words of a module's package and of its rules.
func (n *names) module(m Module) {
	define := func(ref ast.Ref) {
		for _, term := range ref[1:] {
			if word, ok := term.Value.(ast.String); ok {
				n.define(string(word))
			}
		}
	}
	define(m.Parsed.Package.Path)
	for _, rule := range m.Parsed.Rules {
		n.define(RuleName(rule))
		define(rule.Head.Ref())
	}
}
