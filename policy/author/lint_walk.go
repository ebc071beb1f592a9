package author

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// scope is what is known at one place of a rule.
type scope struct {
	vars map[ast.Var]known
	// perTag says that what follows is evaluated once for each tag.
	perTag bool
}

// known is what is known of a variable.
type known struct {
	node    *node // of the schema; nil where that is not known
	untyped bool  // the compiler does not know its type
	text    string
}

// inner is a scope of its own, for a comprehension or an every.
func (s *scope) inner() *scope { return &scope{vars: maps.Clone(s.vars), perTag: s.perTag} }

// walkRule walks the body and the head of a rule in the order of evaluation.
func (l *linter) walkRule(rule *ast.Rule) {
	s := &scope{vars: map[ast.Var]known{}}
	handed := l.args[l.path(modules.RuleName(rule))]
	for i, arg := range rule.Head.Args {
		name, ok := arg.Value.(ast.Var)
		if !ok {
			continue
		}
		k := known{untyped: true}
		if i < len(handed) && handed[i] != nil {
			k.node = handed[i]
		} else {
			k.node = l.byName(string(name))
		}
		s.vars[name] = k
	}
	l.body(rule.Body, s)
	for _, t := range []*ast.Term{rule.Head.Key, rule.Head.Value} {
		if t != nil {
			l.term(t, s)
		}
	}
}

// path is the full name of a rule of the module that is walked.
func (l *linter) path(name string) string {
	return l.current.Parsed.Package.Path.Append(ast.StringTerm(name)).String()
}

// byName guesses what an argument is that no call explains.
func (l *linter) byName(name string) *node {
	switch name {
	case "tag":
		if tags := l.root.fields["tags"]; tags != nil {
			return tags.items
		}
	case "image", "img":
		return l.root.fields["image"]
	case "namespace", "ns":
		return l.root.fields["namespace"]
	}
	return nil
}

func (l *linter) body(body ast.Body, s *scope) {
	for _, e := range body {
		l.expr(e, s)
	}
}

func (l *linter) expr(e *ast.Expr, s *scope) {
	for _, w := range e.With {
		l.with(w)
		l.term(w.Value, s)
	}
	if e.Negated {
		s = s.inner()
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
		l.some(terms, s)
	case *ast.Every:
		l.term(terms.Domain, s)
		inner := s.inner()
		l.iterate(terms.Domain, terms.Key, terms.Value, inner, true)
		l.body(terms.Body, inner)
	case *ast.Term:
		l.term(terms, s)
	case []*ast.Term:
		if e.IsAssignment() || e.IsEquality() {
			l.assign(terms[1], terms[2], s)
			return
		}
		l.call(terms, s)
	}
}

func (l *linter) with(w *ast.With) {
	ref, ok := w.Target.Value.(ast.Ref)
	if ok && ref.HasPrefix(ast.InputRootRef) && len(ref) > 1 {
		l.doubt(w.Location, "quadratic-with", "with %s copies the whole input each time", ref).
			WithHint("hand the value to a function")
	}
}

// some is "some x in xs", "some k, x in xs" or a declaration.
func (l *linter) some(decl *ast.SomeDecl, s *scope) {
	for _, symbol := range decl.Symbols {
		call, ok := symbol.Value.(ast.Call)
		if !ok {
			continue // declared, bound later or never
		}
		domain := call[len(call)-1]
		l.term(domain, s)
		var key *ast.Term
		if len(call) == 4 {
			key = call[1]
		}
		l.iterate(domain, key, call[len(call)-2], s, false)
	}
}

// iterate binds the variables of an iteration, and sees whether it is one of all
// tags within another.
func (l *linter) iterate(domain, key, value *ast.Term, s *scope, untyped bool) {
	over := l.typeOf(domain, s)
	if over.node != nil && over.node == l.root.fields["tags"] {
		if s.perTag {
			l.siblings(domain.Location)
		}
		s.perTag = true
	}
	if key != nil {
		if name, ok := key.Value.(ast.Var); ok {
			s.vars[name] = known{untyped: true}
		}
	}
	element := known{untyped: untyped || over.untyped}
	if over.node != nil {
		element.node = over.node.items
	}
	l.bind(value, element, s)
}

// siblings warns about going through all tags for each tag.
func (l *linter) siblings(at *ast.Location) {
	l.doubt(at, "quadratic-siblings", "this goes through all tags again for each tag: 10,000 tags are 100,000,000 steps").
		WithHint("use tag.rank, tag.shares_digest_with or tag.bucket, or collect what is needed in a rule of its own first")
}

// bind gives the variables of a pattern their types.
func (l *linter) bind(pattern *ast.Term, k known, s *scope) {
	switch v := pattern.Value.(type) {
	case ast.Var:
		s.vars[v] = k
	case *ast.Array, ast.Object:
		ast.WalkVars(v, func(name ast.Var) bool {
			s.vars[name] = known{untyped: true}
			return false
		})
	}
}

func (l *linter) assign(left, right *ast.Term, s *scope) {
	l.term(right, s)
	k := l.typeOf(right, s)
	k.text, _ = l.constant(right)
	if _, ok := left.Value.(ast.Var); ok || k.node == nil {
		l.bind(left, k, s)
		return
	}
	l.term(left, s)
}

func (l *linter) term(t *ast.Term, s *scope) {
	switch v := t.Value.(type) {
	case ast.Ref:
		l.ref(t, v, s)
	case ast.Call:
		l.call(v, s)
	case *ast.Array:
		v.Foreach(func(e *ast.Term) { l.term(e, s) })
	case ast.Set:
		v.Foreach(func(e *ast.Term) { l.term(e, s) })
	case ast.Object:
		v.Foreach(func(k, e *ast.Term) { l.term(k, s); l.term(e, s) })
	case *ast.ArrayComprehension:
		l.comprehension(v.Body, s, v.Term)
	case *ast.SetComprehension:
		l.comprehension(v.Body, s, v.Term)
	case *ast.ObjectComprehension:
		l.comprehension(v.Body, s, v.Key, v.Value)
	}
}

func (l *linter) comprehension(body ast.Body, s *scope, heads ...*ast.Term) {
	inner := s.inner()
	l.body(body, inner)
	for _, h := range heads {
		l.term(h, inner)
	}
}
