package modules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// lookups checks what a built-in function looks up or compares.
func (w *walker) lookups(b *ast.Builtin, values []value) {
	switch b.Name {
	case ast.ObjectFilter.Name, ast.ObjectRemove.Name:
		for _, key := range values[1].member().literals {
			w.step(values[0], key)
		}
	case ast.JSONFilter.Name, ast.JSONRemove.Name:
		for _, path := range w.elements(values[1]) {
			w.along(values[0], segments(path))
		}
	case ast.MemberWithKey.Name:
		for _, key := range values[0].literals {
			w.step(values[2], key)
		}
	case ast.Member.Name:
		element := values[1].member()
		element.literals = w.elements(values[1])
		w.compare(values[0], element)
	case ast.NotEqual.Name:
		w.compare(values[0], values[1])
	}
}

// elements are the elements of the lists and sets that a value can be.
func (w *walker) elements(v value) []*ast.Term {
	var out []*ast.Term
	add := func(e *ast.Term) {
		if name, isVar := e.Value.(ast.Var); isVar {
			out = append(out, w.values[w.bound[name]].literals...)
		} else {
			out = append(out, e)
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

// segments are the keys of a path as json.filter and json.remove read it: a list, or
// a text with slashes.
func segments(path *ast.Term) []*ast.Term {
	var out []*ast.Term
	switch p := path.Value.(type) {
	case *ast.Array:
		p.Foreach(func(e *ast.Term) { out = append(out, e) })
	case ast.String:
		unescape := strings.NewReplacer("~1", "/", "~0", "~")
		for word := range strings.SplitSeq(strings.TrimLeft(string(p), "/"), "/") {
			out = append(out, &ast.Term{Value: ast.String(unescape.Replace(word)), Location: path.Location})
		}
	}
	return out
}

// along goes along a path of keys, of which any may be a variable or the position in
// a list. Two of these in a row, or one below a loose value, may lead to an open value.
func (w *walker) along(v value, path []*ast.Term) {
	anywhere := false
	for _, key := range path {
		word, constant := key.Value.(ast.String)
		name, isVar := key.Value.(ast.Var)
		_, bound := w.bound[name]
		switch {
		case constant && !isPosition(string(word)), isVar && bound && len(w.value(key).literals) > 0:
			v, anywhere = w.step(v, key), false
		case anywhere || v.loose:
			return
		default:
			v, anywhere = v.member(), true
		}
	}
}

// isPosition reports whether a key of a path may be a position in a list. The key
// of an empty path is one too.
func isPosition(word string) bool {
	return strings.Trim(word, "0123456789") == ""
}

// walked checks the path in the pattern [path, value] of a walk.
func (w *walker) walked(of value, pattern *ast.Term) {
	pair, ok := pattern.Value.(*ast.Array)
	if !ok || pair.Len() != 2 {
		return
	}
	for _, path := range w.value(pair.Elem(0)).literals {
		if _, isList := path.Value.(*ast.Array); isList {
			w.along(of, segments(path))
		}
	}
}

// keysOf is which keys an object has because of a computed key.
func keysOf(key value) openness {
	if key.word {
		return closed
	}
	return keyed
}

// compare checks the texts that are compared with a known name.
func (w *walker) compare(a, b value) {
	if b.word {
		a, b = b, a
	}
	if !a.word {
		return
	}
	for _, l := range b.literals {
		if _, ok := l.Value.(ast.String); ok {
			w.used = append(w.used, use{l, w.in})
		}
	}
}
