package modules

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// openness is which keys a value may have.
type openness int

const (
	closed openness = iota // those that have a name in the policy set
	keyed                  // any key, as a set or an object with computed keys; their values are closed
	open                   // any key, at any depth, as a parsed text
)

// element is the openness of what a value contains.
func (o openness) element() openness {
	if o == open {
		return open
	}
	return closed
}

// around is the openness of a value whose own openness is o and that contains
// values of another.
func (o openness) around(content openness) openness {
	if content != closed {
		return open
	}
	return o
}

// openness of the value of a term, as far as the walks have found.
func (w *walker) openness(t *ast.Term) openness {
	switch v := t.Value.(type) {
	case ast.Var, ast.Ref:
		return w.follow(t, nil)
	case ast.Call:
		return w.result(v)
	case *ast.Array:
		out := closed
		v.Foreach(func(e *ast.Term) { out = out.around(w.openness(e)) })
		return out
	case ast.Set:
		out := keyed
		v.Foreach(func(e *ast.Term) { out = out.around(w.openness(e)) })
		return out
	case ast.Object:
		out := closed
		v.Foreach(func(key, e *ast.Term) {
			if _, constant := key.Value.(ast.String); !constant {
				out = max(out, keyed.around(w.openness(e)))
			}
		})
		return out
	case *ast.ArrayComprehension:
		return closed.around(w.openness(v.Term))
	case *ast.SetComprehension:
		return keyed.around(w.openness(v.Term))
	case *ast.ObjectComprehension:
		return keyed.around(w.openness(v.Value))
	}
	return closed
}

// opens are the built-in functions whose results have keys of their own.
var opens = []string{
	"json.unmarshal", "yaml.unmarshal", "urlquery.decode_object", "uuid.parse",
}

// result is the openness of what a call returns: of a rule of the set, of a set,
// and otherwise of its arguments, which most functions only take apart.
func (w *walker) result(call ast.Call) openness {
	if path, ok := w.function(call); ok {
		return w.names.rules[path]
	}
	name := call[0].String()
	builtin := ast.BuiltinMap[name]
	if builtin == nil || !isOffered(name) || slices.ContainsFunc(opens, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return open // what does not compile anyway included
	}
	out := closed
	if _, isSet := builtin.Decl.Result().(*types.Set); isSet {
		out = keyed
	}
	args := call[1:]
	if name == ast.ObjectGet.Name && len(args) == 3 {
		return max(w.follow(w.objectGet(args), nil), w.openness(args[2]))
	}
	for _, a := range args {
		out = max(out, w.openness(a))
	}
	return out
}

// function is the path of the rule that a call evaluates; false for a built-in
// function.
func (w *walker) function(call ast.Call) (path string, ok bool) {
	operator, isRef := call[0].Value.(ast.Ref)
	if !isRef {
		return "", false
	}
	full, _, _ := w.resolve(operator)
	if !full.HasPrefix(ast.DefaultRootRef) {
		return "", false
	}
	return full.String(), true
}

// objectGet is the reference that object.get looks up: its key is a word, or a
// list of words.
func (w *walker) objectGet(args []*ast.Term) *ast.Term {
	ref := ast.Ref{args[0]}
	if inner, ok := args[0].Value.(ast.Ref); ok {
		ref = slices.Clone(inner)
	}
	key := args[1]
	if constants := w.constants(key); len(constants) == 1 {
		key = constants[0]
	}
	if path, ok := key.Value.(*ast.Array); ok {
		path.Foreach(func(word *ast.Term) { ref = append(ref, word) })
	} else {
		ref = append(ref, args[1])
	}
	return &ast.Term{Value: ref, Location: args[0].Location}
}
