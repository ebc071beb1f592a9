package modules

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// value walks a term and returns what is known of its value.
func (w *walker) value(t *ast.Term) value {
	content := closed
	add := func(e *ast.Term) { content = max(content, w.value(e).keys) }
	switch v := t.Value.(type) {
	case ast.String:
		return value{literals: []*ast.Term{t}}
	case ast.Var:
		w.pattern(t, value{}) // in case it is new
		return w.variable(v)
	case ast.Ref:
		return w.reference(v)
	case *ast.Array:
		v.Foreach(add)
		return value{keys: closed.around(content), literals: []*ast.Term{t}}
	case ast.Set:
		v.Foreach(add)
		return value{keys: keyed.around(content), literals: []*ast.Term{t}}
	case ast.Object:
		keys := closed
		v.Foreach(func(key, e *ast.Term) { keys = max(keys, w.entry(t, key, w.value(e).keys)) })
		return value{keys: keys, literals: []*ast.Term{t}}
	case *ast.ArrayComprehension:
		w.inside(v, func() { w.body(v.Body); add(v.Term) })
		return value{keys: closed.around(content)}
	case *ast.SetComprehension:
		w.inside(v, func() { w.body(v.Body); add(v.Term) })
		return value{keys: keyed.around(content)}
	case *ast.ObjectComprehension:
		keys := closed
		w.inside(v, func() { w.body(v.Body); keys = keysOf(w.value(v.Key)); add(v.Value) })
		return value{keys: keys.around(content)}
	}
	return value{}
}

// entry is a key of an object, whose value has some openness. It returns the openness
// that the object has because of it.
func (w *walker) entry(object, key *ast.Term, content openness) openness {
	word, constant := key.Value.(ast.String)
	if !constant {
		return keysOf(w.value(key)).around(content)
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
	v.loose = v.loose || rooted // a data file, unless it is a rule
	for i, key := range ref[1:] {
		v = w.step(v, key)
		if rooted = rooted && ast.IsConstant(key.Value); rooted {
			rule, isRule := w.values[pathPlace(ref[:i+2])]
			v = value{keys: max(v.keys, rule.keys), literals: rule.literals, loose: v.loose && !isRule || rule.loose}
		}
	}
	return v
}

// step is the value at a key of a value.
func (w *walker) step(v value, key *ast.Term) value {
	isNew, out := w.isNew(key), v.member()
	keys := w.value(key).literals
	if name, isVar := key.Value.(ast.Var); isVar && isNew {
		w.words[w.bound[name]] = v.isClosed() || v.word
	}
	if v.keys != closed && !v.word {
		return out
	}
	if len(keys) == 0 {
		out.keys = max(out.keys, w.anyField(v))
	}
	for _, k := range keys {
		if word, ok := k.Value.(ast.String); ok {
			w.used = append(w.used, use{k, w.in})
			found := w.values[field(string(word))]
			out.keys, out.loose = max(out.keys, found.keys), out.loose || found.loose
		}
	}
	return out
}

// anyField is the openness of the fields of the objects that a value can be.
func (w *walker) anyField(v value) openness {
	keys := closed
	for _, literal := range v.literals {
		if object, ok := literal.Value.(ast.Object); ok {
			object.Foreach(func(key, _ *ast.Term) {
				if word, ok := key.Value.(ast.String); ok {
					keys = max(keys, w.values[field(string(word))].keys)
				}
			})
		}
	}
	return keys
}

// isClosed reports whether the keys of a value are names of the policy set.
func (v value) isClosed() bool { return v.keys == closed && !v.loose }

// member is any member of a list or a set.
func (v value) member() value {
	out := value{keys: v.keys.element(), loose: v.loose, word: v.word}
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
		if _, isObject := args[i].Value.(ast.Object); isObject && i == 1 && function == ast.ObjectSubset.Name {
			w.pattern(args[1], values[0])
			continue
		}
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
		if function == ast.WalkBuiltin.Name {
			w.walked(values[0], args[1])
		}
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
	return value{keys: max(out.keys, values[2].keys), loose: out.loose || values[2].loose}
}

// opens begin the names of the built-in functions whose results have keys of their
// own.
var opens = []string{"json.unmarshal", "yaml.unmarshal", "urlquery.decode_object", "uuid.parse", "uri.parse"}

// builtin is the result of a built-in function: a set, or something of its arguments,
// which most functions only take apart.
func (w *walker) builtin(b *ast.Builtin, values []value) value {
	w.lookups(b, values)
	var out value
	_, isSet := b.Decl.Result().(*types.Set)
	switch {
	case slices.ContainsFunc(opens, func(prefix string) bool { return strings.HasPrefix(b.Name, prefix) }):
		out.keys = open
	case b.Name == ast.ObjectKeys.Name:
		out = value{keys: keyed, word: values[0].isClosed()}
	case isSet:
		out.keys = keyed
	case b.Name == ast.WalkBuiltin.Name:
		out.loose = true
	case b.Name == ast.ObjectUnion.Name, b.Name == ast.ArrayConcat.Name:
		out.literals = slices.Concat(values[0].literals, values[1].literals)
	case b.Name == ast.ObjectUnionN.Name:
		out = values[0].member()
	}
	for _, v := range values {
		out.keys, out.loose = max(out.keys, v.keys), out.loose || v.loose
	}
	return out
}
