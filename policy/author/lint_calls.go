package author

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// call is a function with its arguments.
func (l *linter) call(terms []*ast.Term, s *scope) {
	operator, ok := terms[0].Value.(ast.Ref)
	if !ok {
		return
	}
	args := terms[1:]
	for _, a := range args {
		l.term(a, s)
	}
	switch name := operator.String(); {
	case (name == ast.RegexMatch.Name || name == ast.RegexIsValid.Name) && len(args) > 0:
		if name == ast.RegexMatch.Name {
			l.regex(args[0])
		}
		return
	case name == ast.ObjectGet.Name && len(args) == 3:
		l.objectGet(args, s)
		return
	}
	path := l.imports.Resolve(operator).String()
	if len(operator) == 1 {
		path = l.path(path)
	}
	facts := l.rules[path]
	if facts == nil || !facts.function {
		return
	}
	if facts.iterates && s.perTag {
		l.doubt(terms[0].Location, "quadratic-siblings", "%s goes through all tags, and is called for each tag", operator).
			WithHint("collect what it looks for in a rule of its own, once")
	}
	l.hand(path, args, s)
}

// hand remembers what a call hands to a function. Where calls differ, nothing is
// known.
func (l *linter) hand(path string, args []*ast.Term, s *scope) {
	for len(l.args[path]) < len(args) {
		l.args[path] = append(l.args[path], nil)
	}
	for i, a := range args {
		n := l.typeOf(a, s).node
		if have := l.args[path][i]; have != nil && n != have {
			n = anyNode
		}
		if n != nil {
			l.args[path][i] = n
		}
	}
}

// objectGet checks the key that object.get looks for, which the compiler does
// not.
func (l *linter) objectGet(args []*ast.Term, s *scope) {
	k := l.typeOf(args[0], s)
	key, ok := args[1].Value.(ast.String)
	if !ok || k.node == nil || k.node.fields == nil {
		return
	}
	if k.node.fields[string(key)] == nil {
		l.unknown(args[1].Location, args[0].String(), string(key), k.node)
	}
}

// ref looks at a reference: fields that the compiler cannot check, lookups into
// partial rules, iterations with a variable.
func (l *linter) ref(t *ast.Term, ref ast.Ref, s *scope) {
	for _, part := range ref[1:] {
		l.term(part, s)
	}
	l.fields(t.Location, ref, s)
	l.lookup(t.Location, ref, s)
	if len(ref) > 2 && ref.HasPrefix(tagsRef()) {
		if name, ok := ref[2].Value.(ast.Var); ok {
			if _, bound := s.vars[name]; !bound { // input.tags[_]
				if s.perTag {
					l.siblings(t.Location)
				}
				s.perTag = true
			}
		}
	}
}

// lookup warns about rule[x] with an x that is known: the whole partial rule is
// looked through each time.
func (l *linter) lookup(at *ast.Location, ref ast.Ref, s *scope) {
	full := l.imports.Resolve(ref)
	if name, ok := full[0].Value.(ast.Var); ok && l.rules[l.path(string(name))] != nil {
		if _, local := s.vars[name]; !local {
			full = l.current.Parsed.Package.Path.Append(ast.StringTerm(string(name))).Concat(full[1:])
		}
	}
	for i := 2; i < len(full); i++ {
		facts := l.rules[full[:i].String()]
		if facts == nil || !facts.partial {
			continue
		}
		if l.isKnown(full[i], s) {
			name := strings.TrimPrefix(full[i-1].String(), `"`)
			name = strings.TrimSuffix(name, `"`)
			l.doubt(at, "quadratic-lookup", "%s looks into a partial rule, which costs all of it each time", ref).
				WithHint("write %v in %s", full[i], name)
		}
		return
	}
}

// isKnown reports whether an index has a value of its own, so that the reference
// looks something up and does not iterate.
func (l *linter) isKnown(index *ast.Term, s *scope) bool {
	switch v := index.Value.(type) {
	case ast.Var:
		_, bound := s.vars[v]
		return bound && !v.IsWildcard()
	case ast.Ref, ast.Call:
		return true
	case *ast.Array, ast.Object:
		return !ast.IsConstant(index.Value)
	}
	return false
}
