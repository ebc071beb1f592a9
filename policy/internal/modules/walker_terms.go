package modules

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// term walks a value: it defines the keys of objects and uses those of
// references.
func (w *walker) term(t *ast.Term) {
	switch v := t.Value.(type) {
	case ast.Ref:
		if _, isVar := v[0].Value.(ast.Var); !isVar {
			w.term(v[0])
		}
		w.follow(t, w.use)
		for _, part := range v[1:] {
			w.term(part)
		}
	case ast.Call:
		w.call(v)
	case *ast.Array:
		v.Foreach(w.term)
	case ast.Set:
		v.Foreach(w.term)
	case ast.Object:
		v.Foreach(w.entry)
	case *ast.ArrayComprehension:
		w.body(v.Body)
		w.term(v.Term)
	case *ast.SetComprehension:
		w.body(v.Body)
		w.term(v.Term)
	case *ast.ObjectComprehension:
		w.body(v.Body)
		w.entry(v.Key, v.Value)
	case *ast.TemplateString:
		for _, part := range v.Parts {
			switch p := part.(type) {
			case *ast.Expr:
				w.expr(p)
			case *ast.Term:
				w.term(p)
			}
		}
	}
}

// entry is a key of an object with its value.
func (w *walker) entry(key, value *ast.Term) {
	w.term(value)
	word, constant := key.Value.(ast.String)
	if !constant {
		w.term(key)
		return
	}
	w.names.define(string(word))
	if o := w.openness(value); o > w.names.fields[string(word)] {
		w.names.fields[string(word)] = o
		w.names.changed = true
	}
}

// call is a function with its arguments.
func (w *walker) call(call ast.Call) {
	args := call[1:]
	for _, a := range args {
		w.term(a)
	}
	if call[0].String() == ast.ObjectGet.Name && len(args) == 3 {
		w.follow(w.objectGet(args), w.use)
		return
	}
	if slices.Contains([]string{ast.ObjectFilter.Name, ast.ObjectRemove.Name}, call[0].String()) && len(args) == 2 && w.openness(args[0]) == closed {
		w.members(args[1], w.use)
	}
	path, ok := w.function(call)
	if !ok {
		return
	}
	params := w.names.params[path]
	for i, a := range args {
		if i == len(params) {
			params = append(params, param{})
			w.names.changed = true
		}
		p := &params[i]
		if o := w.openness(a); o > p.openness {
			p.openness, w.names.changed = o, true
		}
		for _, value := range w.constants(a) {
			if !slices.Contains(p.values, value) {
				p.values, w.names.changed = append(p.values, value), true
			}
		}
	}
	w.names.params[path] = params
}

// members visits the elements of a list or set literal.
func (w *walker) members(t *ast.Term, visit func(*ast.Term)) {
	switch v := t.Value.(type) {
	case *ast.Array:
		v.Foreach(visit)
	case ast.Set:
		v.Foreach(visit)
	}
}

// use reports a constant key that is not defined.
func (w *walker) use(key *ast.Term) {
	if w.unknown == nil {
		return
	}
	for _, t := range w.constants(key) {
		word, ok := t.Value.(ast.String)
		if !ok || w.names.defined[string(word)] {
			continue
		}
		if t.Location != nil && t.Location.File == key.Location.File {
			w.unknown(t.Location, string(word)) // where it is written
		} else {
			w.unknown(key.Location, string(word))
		}
	}
}

// constants are the texts that a key can be, or the paths of object.get: itself,
// those of a variable that gets its value in one place, or that of a rule.
func (w *walker) constants(key *ast.Term) []*ast.Term {
	switch v := key.Value.(type) {
	case ast.String, *ast.Array:
		return []*ast.Term{key}
	case ast.Var:
		if local := w.vars[v]; local != nil {
			if len(local.bindings) == 1 {
				return local.values
			}
			return nil
		}
	case ast.Ref:
	default:
		return nil
	}
	full, _, _ := w.resolve(refOf(key))
	if text := w.names.texts[full.String()]; text != nil {
		return []*ast.Term{text}
	}
	return nil
}

func refOf(t *ast.Term) ast.Ref {
	if ref, ok := t.Value.(ast.Ref); ok {
		return ref
	}
	return ast.Ref{t}
}

// follow goes along a reference, hands each key of a closed value to use, and
// returns the openness of what is at the end.
func (w *walker) follow(t *ast.Term, use func(key *ast.Term)) openness {
	ref, at, o := w.resolve(refOf(t))
	rooted := ref.HasPrefix(ast.DefaultRootRef)
	for i := 1; i < len(ref); i++ {
		if o == open {
			return open
		}
		if o == keyed {
			o = closed
			continue
		}
		if use != nil && i >= at {
			use(ref[i])
		}
		word, constant := ref[i].Value.(ast.String)
		rooted = rooted && constant
		if constant {
			o = w.names.fields[string(word)]
		}
		if rooted {
			o = max(o, w.names.rules[ref[:i+1].String()])
		}
	}
	return o
}

// resolve spells out a reference to a rule of the module or through an import. At
// is where the keys that it was written with begin; the openness is that of a
// local variable or a value that it begins with.
func (w *walker) resolve(ref ast.Ref) (full ast.Ref, at int, o openness) {
	if len(ref) == 0 {
		return ref, 0, closed
	}
	name, isVar := ref[0].Value.(ast.Var)
	if !isVar {
		return ref, 1, w.openness(ref[0])
	}
	if local := w.vars[name]; local != nil {
		return ref, 1, local.openness
	}
	if imported := w.imports.Resolve(ref); len(imported) != len(ref) || !imported.Equal(ref) {
		return imported, len(imported) - len(ref) + 1, closed
	}
	if w.own[name] {
		rule := w.module.Parsed.Package.Path.Append(ast.StringTerm(string(name)))
		return rule.Concat(ref[1:]), len(rule), closed
	}
	return ref, 1, closed
}
