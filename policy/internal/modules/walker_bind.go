package modules

import "github.com/open-policy-agent/opa/v1/ast"

// assign is left := right.
func (w *walker) assign(left, right *ast.Term) {
	name, isVar := left.Value.(ast.Var)
	w.constructed(right, isVar && w.variable(name).isInput)
	w.bind(left, w.openness(right), true)
	if isVar {
		w.vars[name].values = w.constants(right)
	}
}

// unify takes what may be either a pattern or a new value for one: an object on
// one side takes apart the other, unless that is a variable without a value.
func (w *walker) unify(left, right *ast.Term) {
	for _, side := range [][2]*ast.Term{{left, right}, {right, left}} {
		to, from := side[0], side[1]
		if name, ok := from.Value.(ast.Var); ok && isPattern(to) {
			if v := w.vars[name]; v == nil || !v.declared {
				w.term(to)
				continue
			}
		}
		if isPattern(to) && !isComposite(from) {
			w.bind(to, w.openness(from), false)
			if name, ok := to.Value.(ast.Var); ok && w.vars[name] != nil && len(w.constants(from)) > 0 {
				w.vars[name].values = w.constants(from)
			}
			continue
		}
		w.term(to)
		if isPattern(to) {
			w.bind(to, closed, false)
		}
	}
}

// isPattern reports whether a term can get its value from another.
func isPattern(t *ast.Term) bool {
	_, isVar := t.Value.(ast.Var)
	return isVar || isComposite(t)
}

func isComposite(t *ast.Term) bool {
	switch t.Value.(type) {
	case *ast.Array, ast.Object:
		return true
	}
	return false
}

// bind gives the variables of a pattern the parts of a value. The keys of the
// pattern are keys of the value.
func (w *walker) bind(pattern *ast.Term, value openness, declares bool) {
	switch v := pattern.Value.(type) {
	case ast.Var:
		if _, imported := w.imports[v]; !declares && (imported || w.own[v]) {
			return // compared with that
		}
		found := w.variable(v)
		if value > found.openness || !found.bindings[pattern] || declares && !found.declared {
			w.names.changed = true
		}
		found.openness = max(found.openness, value)
		found.bindings[pattern] = true
		found.declared = found.declared || declares
	case *ast.Array:
		v.Foreach(func(e *ast.Term) { w.bind(e, value.element(), declares) })
	case ast.Object:
		v.Foreach(func(key, e *ast.Term) {
			inner := value.element()
			if value == closed {
				w.use(key)
				inner = w.names.fields[wordOf(key)]
			}
			w.bind(e, inner, declares)
		})
	default:
		w.term(pattern)
	}
}
