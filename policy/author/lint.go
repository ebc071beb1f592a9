package author

import (
	"regexp/syntax"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// lint finds code that compiles but is wrong or doubtful: decisions of a
// wrong shape, idioms whose cost grows with the square of the number of tags,
// rules without a title.
func lint(s *modules.Set) []*Finding {
	own := s.Own()
	l := &linter{rules: indexRules(own)}
	for _, m := range own {
		l.module(m)
	}
	annotations, errs := modules.Annotate(own)
	l.findings = append(l.findings, modules.CompileProblems(own, errs)...)
	for _, m := range own {
		l.titles(m, annotations)
	}
	return l.findings
}

// linter walks modules.
type linter struct {
	rules    map[string]*ruleFacts // by full path: data.janitor.image.own.keep
	findings []*Finding

	// of the rule that is walked
	current modules.Module
	imports modules.Imports
	rule    *ast.Rule
}

// ruleFacts is what matters of all rules of one name.
type ruleFacts struct {
	partial  bool   // p contains x, p[k] := v: a lookup evaluates all of it again
	iterates bool   // a function that iterates over all tags
	constant string // of a rule that is a plain string
}

func indexRules(all []modules.Module) map[string]*ruleFacts {
	out := map[string]*ruleFacts{}
	for _, m := range all {
		for _, rule := range m.Parsed.Rules {
			path := m.Parsed.Package.Path.Append(ast.StringTerm(modules.RuleName(rule))).String()
			f := out[path]
			if f == nil {
				f = &ruleFacts{}
				out[path] = f
			}
			f.partial = f.partial || rule.Head.RuleKind() == ast.MultiValue || isPartialObject(rule)
			f.iterates = f.iterates || len(rule.Head.Args) > 0 && iteratesTags(rule)
			if text, ok := constantOf(rule); ok {
				f.constant = text
			}
		}
	}
	return out
}

// isPartialObject reports whether a rule is p[k] := v or p[k] contains v with a
// key that varies.
func isPartialObject(rule *ast.Rule) bool {
	ref := rule.Head.Ref()
	return len(rule.Head.Args) == 0 && slices.ContainsFunc(ref[1:], func(t *ast.Term) bool { return !ast.IsConstant(t.Value) })
}

func constantOf(rule *ast.Rule) (string, bool) {
	if rule.Head.Value == nil || len(rule.Head.Args) > 0 || rule.Head.RuleKind() == ast.MultiValue || len(rule.Head.Ref()) != 1 {
		return "", false
	}
	text, ok := rule.Head.Value.Value.(ast.String)
	return string(text), ok
}

// iteratesTags reports whether a rule iterates over input.tags in any way.
func iteratesTags(rule *ast.Rule) bool {
	yes := false
	for r := rule; r != nil; r = r.Else {
		ast.WalkRefs(r, func(ref ast.Ref) bool {
			yes = yes || ref.HasPrefix(tagsRef()) && (len(ref) == 2 || !ast.IsConstant(ref[2].Value))
			return false
		})
	}
	return yes
}

func tagsRef() ast.Ref { return ast.Ref{ast.InputRootDocument, ast.StringTerm("tags")} }

// module walks all rules of a module.
func (l *linter) module(m modules.Module) {
	l.current, l.imports = m, modules.ImportsOf(m)
	subject, _, _ := m.Subject()
	for _, rule := range m.Parsed.Rules {
		l.rule = rule
		if isPartialObject(rule) {
			l.doubt(rule.Location, "quadratic-object", "%s is a partial object: each new key is compared with all the others, so its cost grows with the square of the number of tags", rule.Head.Ref()).
				WithHint("write %s := {key: value | some tag in input.tags; …}", modules.RuleName(rule))
		}
		for r := rule; r != nil; r = r.Else {
			l.walkRule(r)
		}
		if subject != "" && modules.IsDecision(modules.RuleName(rule)) {
			l.shape(rule, subject)
		}
	}
}

// doubt records a warning in the rule that is walked.
func (l *linter) doubt(at *ast.Location, code, format string, args ...any) *Finding {
	return l.add(at, Doubt, code, format, args...)
}

func (l *linter) add(at *ast.Location, severity modules.FindingSeverity, code, format string, args ...any) *Finding {
	if at == nil || at.Row == 0 {
		at = l.rule.Location
	}
	f := l.current.Finding(at, l.rule.Head.Ref().String(), severity, code, format, args...)
	l.findings = append(l.findings, f)
	return f
}

// titles requires a METADATA title for every decision, which names it in plans and
// reports.
func (l *linter) titles(m modules.Module, annotations *ast.AnnotationSet) {
	if !m.Decides() {
		return
	}
	rules, _ := m.Decisions()
	for _, rule := range rules {
		name := modules.RuleName(rule)
		if m.Source(rule, name, annotations).Title == "" {
			l.findings = append(l.findings, m.Finding(rule.Location, name, Doubt, "no-title",
				"the rule has no title: reports will call it by its name").
				WithHint("write # METADATA and # title: … above the rule or the package"))
		}
	}
}

// regex checks a constant pattern.
func (l *linter) regex(pattern *ast.Term) {
	text, ok := l.constant(pattern)
	if !ok {
		return
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		l.add(pattern.Location, Problem, "regex", "%q is not a regular expression: %v", text, err)
		return
	}
	if !anchored(parsed) {
		l.doubt(pattern.Location, "unanchored-regex", "%q matches anywhere in the text", text).
			WithHint("write `^%s$` for the whole text, `^%s` for its beginning, or contains() for plain words", text, text)
	}
}

// constant is the text of a term: a string, or a rule that is one.
func (l *linter) constant(t *ast.Term) (string, bool) {
	switch v := t.Value.(type) {
	case ast.String:
		return string(v), true
	case ast.Var, ast.Ref:
		ref, ok := v.(ast.Ref)
		if !ok {
			ref = ast.Ref{t}
		}
		if facts := l.rules[l.resolve(ref, &scope{}).String()]; facts != nil && facts.constant != "" {
			return facts.constant, true
		}
	}
	return "", false
}

func anchored(r *syntax.Regexp) bool {
	switch r.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText:
		return true
	}
	return slices.ContainsFunc(r.Sub, anchored)
}
