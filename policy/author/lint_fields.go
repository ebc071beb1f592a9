package author

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/policy/schema"
)

// node is a part of the input schema.
type node struct {
	fields map[string]*node // of an object; nil for anything else
	items  *node            // of an array
}

// anyNode is a type of which nothing is known although something is handed in.
var anyNode = &node{}

// schemaTree reads the input schema of a subject.
func schemaTree(s modules.Subject) *node {
	schema := schema.Input(string(s))
	definitions, _ := schema["definitions"].(map[string]any)
	return schemaNode(schema, definitions)
}

func schemaNode(schema, definitions map[string]any) *node {
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
	n := &node{}
	if properties, ok := schema["properties"].(map[string]any); ok {
		n.fields = map[string]*node{}
		for name, p := range properties {
			property, _ := p.(map[string]any)
			n.fields[name] = schemaNode(property, definitions)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		n.items = schemaNode(items, definitions)
	}
	return n
}

// typeOf is what is known of a term.
func (l *linter) typeOf(t *ast.Term, s *scope) known {
	switch v := t.Value.(type) {
	case ast.Var:
		return s.vars[v]
	case ast.Ref:
		k, _ := l.follow(v, s)
		return k
	}
	return known{untyped: true}
}

// follow goes along a reference as far as the schema is known; at is the position
// of a field that there is not, or 0.
func (l *linter) follow(ref ast.Ref, s *scope) (k known, at int) {
	name, _ := ref[0].Value.(ast.Var)
	switch {
	case ref[0].Equal(ast.InputRootDocument):
		k = known{node: l.root}
	default:
		k = s.vars[name]
	}
	for i := 1; i < len(ref); i++ {
		if k.node == nil {
			return known{untyped: true}, 0
		}
		next, wrong := k.node.step(ref[i], s)
		if wrong {
			return known{untyped: k.untyped}, i
		}
		if _, constant := ref[i].Value.(ast.String); !constant && k.node.fields != nil {
			k.untyped = true // the compiler does not follow a key that varies
		}
		k = known{node: next, untyped: k.untyped}
	}
	return k, 0
}

// step goes one key down; wrong says that there is no such key.
func (n *node) step(key *ast.Term, s *scope) (next *node, wrong bool) {
	if n.items != nil {
		return n.items, false
	}
	if n.fields == nil {
		return nil, false
	}
	word := ""
	switch v := key.Value.(type) {
	case ast.String:
		word = string(v)
	case ast.Var:
		word = s.vars[v].text
	}
	if word == "" {
		return nil, false
	}
	return n.fields[word], n.fields[word] == nil
}

// fields warns about a field that the schema does not know, where the compiler
// does not see it: it checks what comes from input directly, but neither the
// arguments of functions nor the variables of every.
func (l *linter) fields(at *ast.Location, ref ast.Ref, s *scope) {
	k, pos := l.follow(ref, s)
	if pos == 0 {
		return
	}
	key, constant := ref[pos].Value.(ast.String)
	if constant && !k.untyped {
		return // a compile error already
	}
	if !constant {
		name, _ := ref[pos].Value.(ast.Var)
		key = ast.String(s.vars[name].text)
	}
	parent, _ := l.follow(ref[:pos], s)
	if parent.node == nil {
		parent = s.vars[ref[0].Value.(ast.Var)]
	}
	l.unknown(at, ref[:pos].String(), string(key), parent.node)
}

func (l *linter) unknown(at *ast.Location, of, key string, n *node) {
	var names []string
	if n != nil {
		names = slices.Sorted(maps.Keys(n.fields))
	}
	f := l.doubt(at, "unknown-field", "%s has no field %q: it has %s", of, key, strings.Join(names, ", "))
	if meant := text.Nearest(key, names); meant != "" {
		f.WithHint("did you mean %s?", meant)
	}
}
