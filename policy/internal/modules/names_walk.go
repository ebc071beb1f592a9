package modules

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"
)

// walker walks one rule.
type walker struct {
	*flow
	in    *ast.Rule
	scope any               // of new variables
	bound map[ast.Var]place // the variables that have their value
	words map[place]bool    // the variables that are keys of closed values
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
		v = value{keys: keysOf(w.value(t)).around(v.keys)}
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
					w.pattern(terms.Key, value{word: domain.isClosed()})
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
			w.words[w.bound[p]] = v.word
			w.put(w.bound[p], v)
		} else {
			w.compare(v, w.variable(p))
		}
	case *ast.Array:
		p.Foreach(func(e *ast.Term) { w.pattern(e, value{keys: v.keys.element(), loose: v.loose}) })
	case ast.Object:
		p.Foreach(func(key, e *ast.Term) { w.pattern(e, w.step(v, key)) })
	default:
		w.compare(v, w.value(t))
	}
}

// variable is what is known of a variable.
func (w *walker) variable(name ast.Var) value {
	v := w.values[w.bound[name]]
	v.word = w.words[w.bound[name]]
	return v
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
