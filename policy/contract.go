package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// contract checks the operator's modules: their names, the form of their
// decision rules, and, compiled alone against the schema they are documented
// with, their fields and types. All problems are found at once.
func contract(s *sources) []*Finding {
	findings := slices.Clone(s.broken)
	own := s.own()
	for _, m := range own {
		subject, _, wrong := packageSubject(m)
		if wrong != nil {
			findings = append(findings, wrong)
		}
		if subject == "" {
			findings = append(findings, dead(m, own)...)
			continue
		}
		_, broken := decisions(m)
		findings = append(findings, broken...)
		findings = append(findings, misspelt(m, own)...)
	}
	if len(s.broken) > 0 {
		return tidyFindings(findings) // what they define is missing everywhere else
	}
	for _, subject := range []subject{imageSubject, namespaceSubject} {
		used := reachable(own, subject)
		findings = append(findings, compileFindings(used, func() *ast.Compiler { return newCompiler(userSchema(subject)) })...)
	}
	return tidyFindings(findings)
}

// rounds bounds how often what is wrong is left out to find what else is.
const rounds = 5

// compileFindings compiles modules and finds all that is wrong. The compiler
// works in stages and stops after the first that fails, so the rules that are
// wrong are left out and the others compiled again.
func compileFindings(modules []module, compiler func() *ast.Compiler) []*Finding {
	var findings []*Finding
	out := map[*ast.Rule]bool{}
	for round := range rounds {
		c := compiler()
		c.Compile(without(modules, out))
		before := len(out)
		for _, f := range compileProblems(modules, c.Errors) {
			if round > 0 && follows(f, modules) {
				continue
			}
			findings = append(findings, f)
			for _, m := range modules {
				if m.file == f.File {
					leaveOut(m, f.Line, out)
				}
			}
		}
		if len(out) == before {
			break
		}
	}
	return findings
}

// leaveOut takes the rule that a line is in out of a module.
func leaveOut(m module, line int, out map[*ast.Rule]bool) {
	var last *ast.Rule
	for _, r := range m.parsed.Rules {
		if r.Location.Row <= line {
			last = r
		}
	}
	if last != nil {
		out[last] = true
	}
}

// without copies modules but for some of their rules.
func without(modules []module, out map[*ast.Rule]bool) map[string]*ast.Module {
	all := parsed(modules)
	for _, m := range modules {
		var kept []*ast.Rule
		for i, r := range m.parsed.Rules {
			if !out[r] {
				kept = append(kept, all[m.file].Rules[i])
			}
		}
		all[m.file].Rules = kept
	}
	return all
}

// follows reports whether a finding may only be there because rules were left
// out: an import that nothing uses any more, a function that is gone.
func follows(f *Finding, modules []module) bool {
	for _, m := range modules {
		if m.file != f.File {
			continue
		}
		for _, i := range m.parsed.Imports {
			if i.Location.Row == f.Line {
				return true
			}
		}
	}
	return f.Code == "unknown-function" && f.Hint == ""
}

// synonyms are words that people write for the decisions of the contract.
var synonyms = map[string]string{
	"allow": ruleKeep, "kept": ruleKeep, "retain": ruleKeep, "protect": ruleKeep,
	"deleted": ruleDelete, "remove": ruleDelete, "purge": ruleDelete, "expire": ruleDelete,
	"violation": ruleDeny, "violations": ruleDeny, "denied": ruleDeny, "denies": ruleDeny, "forbid": ruleDeny,
	"warning": ruleWarn, "warnings": ruleWarn,
	"visible": ruleVisibility,
}

// dead finds decisions in packages that are never asked and that nothing refers
// to: a keep that is never asked protects nothing.
func dead(m module, all []module) []*Finding {
	if _, _, wrong := packageSubject(m); wrong != nil {
		return nil
	}
	var out []*Finding
	for _, rule := range m.parsed.Rules {
		name := ruleName(rule)
		if !isDecision(name) || len(rule.Head.Args) > 0 || refersTo(all, m.parsed.Package.Path, name) {
			continue
		}
		out = append(out, found(m, rule.Location, name, Problem, "dead-decision",
			"%s is never asked: only packages janitor.image.<name> and janitor.namespace.<name> decide", name).
			but("rename the package, or the rule if it is a helper"))
	}
	return out
}

// misspelt finds rules whose name is nearly that of a decision and that nothing
// refers to: they would never be asked, and a keep that is never asked protects
// nothing.
func misspelt(m module, all []module) []*Finding {
	var out []*Finding
	for _, rule := range m.parsed.Rules {
		name := ruleName(rule)
		if isDecision(name) || rule.Default {
			continue
		}
		meant := nearest(name, decisionNames())
		if meant == "" {
			meant = synonyms[strings.ToLower(name)]
		}
		if meant == "" || refersTo(all, m.parsed.Package.Path, name) {
			continue
		}
		out = append(out, found(m, rule.Location, name, Problem, "misspelt-decision",
			"there is no decision %s, and nothing else uses it", name).
			but("did you mean %s? The decisions are %s", meant, strings.Join(decisionNames(), ", ")))
	}
	return out
}

// refersTo reports whether any rule refers to a rule of a package.
func refersTo(modules []module, path ast.Ref, name string) bool {
	full := path.Append(ast.StringTerm(name))
	for _, m := range modules {
		same := m.parsed.Package.Path.Equal(path)
		imports := importsOf(m)
		yes := false
		for _, rule := range m.parsed.Rules {
			visit := func(ref ast.Ref) bool {
				ref = imports.resolve(ref)
				local := same && len(ref) > 0 && ref[0].Value.Compare(ast.Var(name)) == 0
				yes = yes || local || ref.HasPrefix(full)
				return false
			}
			for r := rule; r != nil; r = r.Else {
				walkUses(r, visit)
			}
		}
		if yes {
			return true
		}
	}
	return false
}

// walkUses visits what a rule refers to: all references, and the plain names,
// but not its own name.
func walkUses(rule *ast.Rule, visit func(ast.Ref) bool) {
	take := func(x any) {
		ast.WalkRefs(x, visit)
		ast.WalkVars(x, func(v ast.Var) bool { return visit(ast.Ref{ast.NewTerm(v)}) })
	}
	if rule.Head.Key != nil {
		take(rule.Head.Key)
	}
	if rule.Head.Value != nil {
		take(rule.Head.Value)
	}
	for _, term := range rule.Head.Reference[min(1, len(rule.Head.Reference)):] {
		take(term)
	}
	take(rule.Body)
}

// imports are what the names that a module imports stand for.
type imports map[ast.Var]ast.Ref

func importsOf(m module) imports {
	out := imports{}
	for _, i := range m.parsed.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok {
			out[i.Name()] = ref
		}
	}
	return out
}

// resolve spells out a reference that begins with an imported name.
func (i imports) resolve(ref ast.Ref) ast.Ref {
	if len(ref) == 0 {
		return ref
	}
	if name, ok := ref[0].Value.(ast.Var); ok {
		if full, ok := i[name]; ok {
			return full.Concat(ref[1:])
		}
	}
	return ref
}

func decisionNames() []string {
	return []string{ruleDelete, ruleKeep, ruleDeny, ruleWarn, ruleVisibility}
}

// quoted lists words for a message.
func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
