package author

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// scope is what is known at one place of a rule.
type scope struct {
	bound  map[ast.Var]bool // the variables that have a value
	perTag bool             // what follows is evaluated once for each tag
}

// inner is the scope of a comprehension or an every.
func (s *scope) inner() *scope { return &scope{bound: maps.Clone(s.bound), perTag: s.perTag} }

func (s *scope) bind(pattern *ast.Term) {
	if pattern != nil {
		ast.WalkVars(pattern, func(name ast.Var) bool {
			s.bound[name] = true
			return false
		})
	}
}

// walkRule walks the body and the head of a rule in the order of evaluation.
func (l *linter) walkRule(rule *ast.Rule) {
	s := &scope{bound: map[ast.Var]bool{}}
	for _, arg := range rule.Head.Args {
		s.bind(arg)
	}
	l.body(rule.Body, s)
	for _, t := range []*ast.Term{rule.Head.Key, rule.Head.Value} {
		if t != nil {
			l.term(t, s)
		}
	}
}

func (l *linter) body(body ast.Body, s *scope) {
	for _, e := range body {
		l.expr(e, s)
	}
}

func (l *linter) expr(e *ast.Expr, s *scope) {
	for _, w := range e.With {
		if ref, ok := w.Target.Value.(ast.Ref); ok && ref.HasPrefix(ast.InputRootRef) && len(ref) > 1 {
			l.doubt(w.Location, "quadratic-with", "with %s copies the whole input each time", ref).
				WithHint("pass the value to a function")
		}
		l.term(w.Value, s)
	}
	if e.Negated {
		s = s.inner()
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			if call, ok := symbol.Value.(ast.Call); ok { // some k, v in xs
				l.each(call[len(call)-1], call[1:len(call)-1], s)
			}
		}
	case *ast.Every:
		inner := s.inner()
		l.each(terms.Domain, []*ast.Term{terms.Key, terms.Value}, inner)
		l.body(terms.Body, inner)
	case *ast.Term:
		l.term(terms, s)
	case []*ast.Term:
		if e.IsAssignment() || e.IsEquality() {
			l.term(terms[2], s)
			s.bind(terms[1])
			return
		}
		l.call(terms, s)
	}
}

// each goes through a domain, and warns where that is all tags within another
// iteration of all tags.
func (l *linter) each(domain *ast.Term, patterns []*ast.Term, s *scope) {
	l.term(domain, s)
	if ref, ok := domain.Value.(ast.Ref); ok && ref.Equal(tagsRef()) {
		l.iterates(domain.Location, s)
	}
	for _, p := range patterns {
		s.bind(p)
	}
}

func (l *linter) iterates(at *ast.Location, s *scope) {
	if s.perTag {
		l.doubt(at, "quadratic-siblings", "this iterates over all tags once for each tag: 10,000 tags take 100,000,000 steps").
			WithHint("use tag.rank, tag.shares_digest_with or tag.bucket, or collect what is needed in a rule of its own first")
	}
	s.perTag = true
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

// call checks a function with its arguments.
func (l *linter) call(terms []*ast.Term, s *scope) {
	for _, a := range terms[1:] {
		l.term(a, s)
	}
	operator, ok := terms[0].Value.(ast.Ref)
	if !ok {
		return
	}
	if operator.String() == ast.RegexMatch.Name {
		l.regex(terms[1])
		return
	}
	facts := l.rules[l.resolve(operator, s).String()]
	if facts != nil && facts.iterates && s.perTag {
		l.doubt(terms[0].Location, "quadratic-siblings", "%s iterates over all tags, and is called for each tag", operator).
			WithHint("compute what it searches once, in a rule of its own")
	}
}

// ref checks a reference: iterations with a variable, and lookups into partial
// rules.
func (l *linter) ref(t *ast.Term, ref ast.Ref, s *scope) {
	for _, part := range ref[1:] {
		l.term(part, s)
	}
	l.lookup(t.Location, ref, s)
	if len(ref) > 2 && ref.HasPrefix(tagsRef()) {
		if name, ok := ref[2].Value.(ast.Var); ok && !s.bound[name] { // input.tags[_]
			l.iterates(t.Location, s)
		}
	}
}

// lookup warns about rule[x] with an x that has a value: each time, the whole
// partial rule is searched.
func (l *linter) lookup(at *ast.Location, ref ast.Ref, s *scope) {
	full := l.resolve(ref, s)
	for i := 2; i < len(full); i++ {
		facts := l.rules[full[:i].String()]
		if facts == nil || !facts.partial {
			continue
		}
		if hasValue(full[i], s) {
			l.doubt(at, "quadratic-lookup", "%s searches a whole partial rule each time", ref).
				WithHint("write %v in %s", full[i], strings.Trim(full[i-1].String(), `"`))
		}
		return
	}
}

// resolve spells out a reference to a rule.
func (l *linter) resolve(ref ast.Ref, s *scope) ast.Ref {
	name, ok := ref[0].Value.(ast.Var)
	if !ok || s.bound[name] {
		return ref
	}
	own := l.current.Parsed.Package.Path.Append(ast.StringTerm(string(name)))
	if l.rules[own.String()] != nil {
		return slices.Concat(own, ref[1:])
	}
	return l.imports.Resolve(ref)
}

// hasValue reports whether an index already has a value, so that the reference
// looks something up and does not iterate.
func hasValue(index *ast.Term, s *scope) bool {
	switch v := index.Value.(type) {
	case ast.Var:
		return s.bound[v] && !v.IsWildcard()
	case ast.Ref, ast.Call:
		return true
	case *ast.Array, ast.Object:
		return !ast.IsConstant(index.Value)
	}
	return false
}
