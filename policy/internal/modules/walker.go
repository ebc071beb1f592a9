package modules

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// walker walks one rule, or one else branch of it, again and again: each walk adds
// to what is known of names and variables, until there is nothing to add.
type walker struct {
	names   *names
	module  Module
	imports Imports
	own     map[ast.Var]bool // the names of the rules of the module
	rule    *ast.Rule        // nil for the imports of the module
	name    string           // of the rule
	path    string           // data.acme.lib.rule
	vars    map[ast.Var]*variable
	// unknown reports a name that is not defined; nil until all are known.
	unknown func(at *ast.Location, name string)
}

// variable is what is known of a variable of a rule.
type variable struct {
	openness openness
	bindings map[*ast.Term]bool // where it gets its value
	declared bool               // by :=, some, every or as an argument
	values   []*ast.Term        // the constants that it stands for
	isInput  bool               // it replaces the input of a call
}

func newWalkers(n *names, m Module) []*walker {
	own := map[ast.Var]bool{}
	for _, rule := range m.Parsed.Rules {
		own[ast.Var(RuleName(rule))] = true
	}
	out := []*walker{{names: n, module: m}}
	for _, rule := range m.Parsed.Rules {
		path := m.Parsed.Package.Path
		for i, term := range rule.Head.Ref() {
			if i > 0 && !ast.IsConstant(term.Value) {
				break
			}
			path = path.Append(ast.StringTerm(wordOf(term)))
		}
		for r := rule; r != nil; r = r.Else {
			w := &walker{
				names: n, module: m, imports: ImportsOf(m), own: own, rule: r, name: rule.Head.Ref().String(), path: path.String(), vars: map[ast.Var]*variable{},
			}
			w.findInputs()
			out = append(out, w)
		}
	}
	return out
}

func wordOf(t *ast.Term) string {
	switch v := t.Value.(type) {
	case ast.Var:
		return string(v)
	case ast.String:
		return string(v)
	}
	return t.String()
}

func (w *walker) walk() {
	if w.rule == nil {
		for _, i := range w.module.Parsed.Imports {
			if root := refOf(i.Path)[0]; root.Equal(ast.DefaultRootDocument) || root.Equal(ast.InputRootDocument) {
				w.follow(i.Path, w.use)
			}
		}
		return
	}
	head := w.rule.Head
	params := w.names.params[w.path]
	for i, arg := range head.Args {
		if i >= len(params) {
			w.bind(arg, closed, true) // no call was seen yet
			continue
		}
		w.bind(arg, params[i].openness, true)
		if name, ok := arg.Value.(ast.Var); ok {
			w.vars[name].values = params[i].values
		}
	}
	w.body(w.rule.Body)
	value := closed
	for _, t := range []*ast.Term{head.Key, head.Value} {
		if t != nil {
			w.constructed(t, w.names.inputs[w.path])
			value = max(value, w.openness(t))
		}
	}
	if head.RuleKind() == ast.MultiValue {
		value = keyed.around(value)
	}
	for _, t := range head.Ref()[1:] {
		if !ast.IsConstant(t.Value) {
			w.term(t)
			value = keyed.around(value)
		}
	}
	w.returns(value)
}

// returns notes the value of the rule.
func (w *walker) returns(value openness) {
	if value > w.names.rules[w.path] {
		w.names.changed = true
	}
	w.names.rules[w.path] = max(w.names.rules[w.path], value)
	if v := w.rule.Head.Value; v != nil && w.rule.Head.RuleKind() == ast.SingleValue {
		if _, ok := v.Value.(ast.String); ok && w.names.texts[w.path] == nil {
			w.names.texts[w.path], w.names.changed = v, true
		}
	}
}

func (w *walker) body(body ast.Body) {
	for _, e := range body {
		w.expr(e)
	}
}

func (w *walker) expr(e *ast.Expr) {
	for _, with := range e.With {
		w.with(with)
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			w.some(symbol)
		}
	case *ast.Every:
		w.each(terms.Domain, terms.Key, terms.Value)
		w.body(terms.Body)
	case *ast.Term:
		w.term(terms)
	case []*ast.Term:
		switch {
		case e.IsAssignment():
			w.assign(terms[1], terms[2])
		case e.IsEquality():
			w.unify(terms[1], terms[2])
		default:
			w.call(terms)
			if last := terms[len(terms)-1]; len(terms) > 1 && isPattern(last) { // walk(x, [path, value])
				w.bind(last, w.result(terms[:len(terms)-1]).element(), false)
			}
		}
	}
}

// findInputs finds the variables and rules that replace an input.
func (w *walker) findInputs() {
	ast.WalkExprs(w.rule, func(e *ast.Expr) bool {
		for _, with := range e.With {
			if !replacesInput(with) {
				continue
			}
			full, _, _ := w.resolve(refOf(with.Value))
			name, isVar := full[0].Value.(ast.Var)
			switch {
			case full.HasPrefix(ast.DefaultRootRef):
				w.names.inputs[full.String()] = true
			case isVar && len(full) == 1:
				w.variable(name).isInput = true
			}
		}
		return false
	})
}

// replacesInput reports whether a with replaces what the schema describes.
func replacesInput(with *ast.With) bool {
	ref, _ := with.Target.Value.(ast.Ref)
	return ref.HasPrefix(ast.InputRootRef) || ref.HasPrefix(ast.MustParseRef("data.config"))
}

// with checks the keys of an input that a policy makes up.
func (w *walker) with(with *ast.With) {
	if ref, _ := with.Target.Value.(ast.Ref); ref.HasPrefix(ast.InputRootRef) || ref.HasPrefix(ast.DefaultRootRef) {
		w.term(with.Target)
	}
	w.constructed(with.Value, replacesInput(with))
}

// constructed checks a value: the keys of one that replaces an input must be
// known, those of any other define names.
func (w *walker) constructed(t *ast.Term, isInput bool) {
	if isInput {
		w.made(t)
	} else {
		w.term(t)
	}
}

// made checks an object literal whose keys must be known already.
func (w *walker) made(t *ast.Term) {
	switch v := t.Value.(type) {
	case ast.Object:
		v.Foreach(func(key, value *ast.Term) {
			w.use(key)
			w.made(value)
		})
	case *ast.Array:
		v.Foreach(w.made)
	case ast.Set:
		v.Foreach(w.made)
	case ast.Call:
		if name := v[0].String(); name == ast.ObjectUnion.Name || name == ast.ObjectUnionN.Name || name == ast.ArrayConcat.Name {
			for _, part := range v[1:] {
				w.made(part)
			}
			return
		}
		w.term(t)
	default:
		w.term(t)
	}
}

// some is one symbol of "some x", "some x in xs" or "some k, x in xs".
func (w *walker) some(symbol *ast.Term) {
	call, ok := symbol.Value.(ast.Call)
	if !ok {
		w.declare(symbol)
		return
	}
	var key *ast.Term
	if len(call) == 4 {
		key = call[1]
	}
	w.each(call[len(call)-1], key, call[len(call)-2])
}

// each goes through a domain.
func (w *walker) each(domain, key, value *ast.Term) {
	w.term(domain)
	if key != nil {
		w.bind(key, closed, true)
	}
	w.bind(value, w.openness(domain).element(), true)
	name, ok := value.Value.(ast.Var)
	if !ok {
		return
	}
	var values []*ast.Term
	w.members(domain, func(t *ast.Term) { values = append(values, t) })
	w.vars[name].values = values
}

func (w *walker) declare(t *ast.Term) {
	if name, ok := t.Value.(ast.Var); ok {
		w.variable(name).declared = true // it comes before every use
	}
}

func (w *walker) variable(name ast.Var) *variable {
	v := w.vars[name]
	if v == nil {
		v = &variable{bindings: map[*ast.Term]bool{}}
		w.vars[name] = v
		w.names.changed = true
	}
	return v
}
