package modules

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// walker walks one rule.
type walker struct {
	*flow
	in    *ast.Rule
	scope any               // of new variables
	bound map[ast.Var]place // the variables that have their value
}

func (w *walker) rule() {
	head, path := w.in.Head, w.in.Ref().ConstantPrefix()
	for i, arg := range head.Args {
		w.pattern(arg, w.values[parameter(path.String(), i)])
	}
	w.body(w.in.Body)
	var v value
	for _, t := range []*ast.Term{head.Key, head.Value} {
		if t != nil {
			v = w.value(t)
		}
	}
	if head.RuleKind() == ast.MultiValue {
		v = value{keys: keyed.around(v.keys)}
	}
	for _, t := range w.in.Ref()[len(path):] {
		w.value(t)
		v = value{keys: keyed.around(v.keys)}
	}
	w.put(pathPlace(path), v)
}

func (w *walker) body(body ast.Body) {
	for _, e := range body {
		for _, with := range e.With {
			w.with(with)
		}
		switch terms := e.Terms.(type) {
		case *ast.Every:
			domain := w.value(terms.Domain)
			w.inside(terms, func() {
				if terms.Key != nil {
					w.pattern(terms.Key, value{})
				}
				w.pattern(terms.Value, domain.member())
				w.body(terms.Body)
			})
		case *ast.Term:
			w.value(terms)
		case []*ast.Term:
			if e.IsEquality() {
				w.unify(terms[1], terms[2])
			} else {
				w.call(terms[0].String(), terms[1:])
			}
		}
	}
}

// inside walks what has variables of its own.
func (w *walker) inside(scope any, walk func()) {
	outer := *w
	w.scope, w.bound = scope, maps.Clone(w.bound)
	walk()
	*w = outer
}

var configRef = ast.MustParseRef("data.config")

// with is a value that replaces another while an expression is evaluated.
func (w *walker) with(with *ast.With) {
	target, _ := with.Target.Value.(ast.Ref)
	if target.HasPrefix(ast.InputRootRef) || target.HasPrefix(ast.DefaultRootRef) {
		w.value(with.Target)
	}
	v := w.value(with.Value)
	if target.HasPrefix(ast.InputRootRef) || target.HasPrefix(configRef) {
		w.fakes(v)
	}
}

// fakes notes that the objects of a value replace an input.
func (w *walker) fakes(v value) {
	for _, t := range v.literals {
		switch l := t.Value.(type) {
		case ast.Object:
			w.changed = w.changed || !w.fake[t]
			w.fake[t] = true
			l.Foreach(func(key, inner *ast.Term) {
				if word, ok := key.Value.(ast.String); !ok || w.values[field(string(word))].keys != open {
					w.fakes(w.value(inner))
				}
			})
		case *ast.Array:
			l.Foreach(func(e *ast.Term) { w.fakes(w.value(e)) })
		}
	}
}

// unify gives a new variable the value of the other side. Otherwise each side is a
// pattern for the other.
func (w *walker) unify(a, b *ast.Term) {
	left, isList := a.Value.(*ast.Array)
	right, both := b.Value.(*ast.Array)
	switch {
	case w.isNew(a):
		w.pattern(a, w.value(b))
	case w.isNew(b):
		w.pattern(b, w.value(a))
	case isList && both && left.Len() == right.Len():
		for i := range left.Len() {
			w.unify(left.Elem(i), right.Elem(i))
		}
	case isComposite(a) && isComposite(b):
		w.value(a)
		w.value(b)
	case isComposite(a):
		w.pattern(a, w.value(b))
	default:
		w.pattern(b, w.value(a))
	}
}

// pattern takes a value apart: the keys of the pattern are keys of the value, and
// its new variables get the parts.
func (w *walker) pattern(t *ast.Term, v value) {
	switch p := t.Value.(type) {
	case ast.Var:
		if w.isNew(t) {
			w.bound[p] = place{w.scope, string(p)}
			w.put(w.bound[p], v)
		}
	case *ast.Array:
		p.Foreach(func(e *ast.Term) { w.pattern(e, value{keys: v.keys.element()}) })
	case ast.Object:
		p.Foreach(func(key, e *ast.Term) { w.pattern(e, w.step(v, key)) })
	default:
		w.value(t)
	}
}

// isNew reports whether a term is a variable that has no value yet.
func (w *walker) isNew(t *ast.Term) bool {
	name, isVar := t.Value.(ast.Var)
	_, bound := w.bound[name]
	return isVar && !bound
}

func isComposite(t *ast.Term) bool {
	switch t.Value.(type) {
	case *ast.Array, ast.Object:
		return true
	}
	return false
}

// value walks a term and returns what is known of its value.
func (w *walker) value(t *ast.Term) value {
	content := closed
	add := func(e *ast.Term) { content = max(content, w.value(e).keys) }
	switch v := t.Value.(type) {
	case ast.String:
		return value{literals: []*ast.Term{t}}
	case ast.Var:
		w.pattern(t, value{}) // in case it is new
		return w.values[w.bound[v]]
	case ast.Ref:
		return w.reference(v)
	case *ast.Array:
		v.Foreach(add)
		return value{closed.around(content), []*ast.Term{t}}
	case ast.Set:
		v.Foreach(add)
		return value{keyed.around(content), []*ast.Term{t}}
	case ast.Object:
		keys := closed
		v.Foreach(func(key, e *ast.Term) { keys = max(keys, w.entry(t, key, w.value(e).keys)) })
		return value{keys, []*ast.Term{t}}
	case *ast.ArrayComprehension:
		w.inside(v, func() { w.body(v.Body); add(v.Term) })
		return value{keys: closed.around(content)}
	case *ast.SetComprehension:
		w.inside(v, func() { w.body(v.Body); add(v.Term) })
		return value{keys: keyed.around(content)}
	case *ast.ObjectComprehension:
		w.inside(v, func() { w.body(v.Body); w.value(v.Key); add(v.Value) })
		return value{keys: keyed.around(content)}
	}
	return value{}
}

// entry is a key of an object, whose value has some openness. It returns the openness
// that the object has because of it.
func (w *walker) entry(object, key *ast.Term, content openness) openness {
	word, constant := key.Value.(ast.String)
	if !constant {
		w.value(key)
		return keyed.around(content)
	}
	w.put(field(string(word)), value{keys: content})
	if w.fake[object] {
		w.used = append(w.used, use{key, w.in})
	} else {
		w.defined = append(w.defined, key)
	}
	return closed
}

// reference goes along a reference.
func (w *walker) reference(ref ast.Ref) value {
	var v value
	rooted := ref.HasPrefix(ast.DefaultRootRef)
	if !rooted && !ref.HasPrefix(ast.InputRootRef) {
		v = w.value(ref[0])
	}
	for i, key := range ref[1:] {
		v = w.step(v, key)
		if rooted = rooted && ast.IsConstant(key.Value); rooted {
			rule := w.values[pathPlace(ref[:i+2])]
			v = value{max(v.keys, rule.keys), rule.literals}
		}
	}
	return v
}

// step is the value at a key of a value.
func (w *walker) step(v value, key *ast.Term) value {
	keys, out := w.value(key).literals, v.member()
	if v.keys != closed {
		return out
	}
	for _, k := range keys {
		if word, ok := k.Value.(ast.String); ok {
			w.used = append(w.used, use{k, w.in})
			out.keys = max(out.keys, w.values[field(string(word))].keys)
		}
	}
	return out
}

// member is any member of a list or a set.
func (v value) member() value {
	out := value{keys: v.keys.element()}
	add := func(e *ast.Term) {
		if ast.IsConstant(e.Value) {
			out.literals = append(out.literals, e)
		}
	}
	for _, literal := range v.literals {
		switch l := literal.Value.(type) {
		case *ast.Array:
			l.Foreach(add)
		case ast.Set:
			l.Foreach(add)
		}
	}
	return out
}

// call is a function with its arguments, and with the pattern that takes its result
// if there is one.
func (w *walker) call(function string, args []*ast.Term) {
	arity, own := w.functions[function]
	builtin := ast.BuiltinMap[function]
	if builtin != nil {
		arity = builtin.Decl.Arity()
	}
	values := make([]value, min(arity, len(args)))
	for i := range values {
		values[i] = w.value(args[i])
		if own {
			w.put(parameter(function, i), values[i])
		}
	}
	result := value{keys: open} // of what does not compile
	switch {
	case own:
		result = w.values[place{name: function}]
	case function == ast.ObjectGet.Name:
		result = w.objectGet(args, values)
	case builtin != nil:
		result = w.builtin(builtin, values)
	}
	if len(args) > len(values) {
		w.pattern(args[len(values)], result)
	}
}

// objectGet follows the path, a key or a list of keys, that object.get looks up.
func (w *walker) objectGet(args []*ast.Term, values []value) value {
	object, ok := args[0].Value.(ast.Ref)
	if !ok {
		object = ast.Ref{args[0]}
	}
	out := w.reference(object.Append(args[1]))
	for _, key := range values[1].literals {
		if path, ok := key.Value.(*ast.Array); ok {
			ref := slices.Clone(object)
			path.Foreach(func(word *ast.Term) { ref = append(ref, word) })
			out.keys = max(out.keys, w.reference(ref).keys)
		}
	}
	return value{keys: max(out.keys, values[2].keys)}
}

// opens begin the names of the built-in functions whose results have keys of their
// own.
var opens = []string{"json.unmarshal", "yaml.unmarshal", "urlquery.decode_object", "uuid.parse", "uri.parse"}

// builtin is the result of a built-in function: a set, or something of its arguments,
// which most functions only take apart.
func (w *walker) builtin(b *ast.Builtin, values []value) value {
	var out value
	_, isSet := b.Decl.Result().(*types.Set)
	switch {
	case slices.ContainsFunc(opens, func(prefix string) bool { return strings.HasPrefix(b.Name, prefix) }):
		out.keys = open
	case isSet:
		out.keys = keyed
	case b.Name == ast.ObjectFilter.Name, b.Name == ast.ObjectRemove.Name:
		for _, key := range values[1].member().literals {
			w.step(values[0], key)
		}
	case b.Name == ast.ObjectUnion.Name, b.Name == ast.ArrayConcat.Name:
		out.literals = slices.Concat(values[0].literals, values[1].literals)
	case b.Name == ast.ObjectUnionN.Name:
		out = values[0].member()
	}
	for _, v := range values {
		out.keys = max(out.keys, v.keys)
	}
	return out
}
