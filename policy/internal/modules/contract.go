package modules

import (
	"bytes"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/schema"
)

// Check checks the operator's modules against the contract: their names, the form
// of their decision rules, and, compiled alone against the schema they are
// documented with, their fields and types; and their names. It finds all problems
// at once.
func (s *Set) Check() []*Finding {
	findings := slices.Clone(s.Broken)
	own := s.Own()
	if len(own) == 0 {
		return Tidy(findings)
	}
	for _, m := range own {
		subject, _, wrong := m.Subject()
		if wrong != nil {
			findings = append(findings, wrong)
		}
		if subject == "" {
			findings = append(findings, dead(m, own)...)
			continue
		}
		_, broken := m.Decisions()
		findings = append(findings, broken...)
		findings = append(findings, m.checkEnforce()...)
		findings = append(findings, misspelled(m, own)...)
	}
	if len(s.Broken) > 0 {
		return Tidy(findings) // what they define is missing everywhere else
	}
	for _, subject := range []Subject{Image, Namespace} {
		used := Reachable(own, subject)
		findings = append(findings, CompileFindings(used, func() *ast.Compiler { return NewCompiler(schema.Input(string(subject))) })...)
	}
	for _, f := range s.checkNames() {
		compiled := func(c *Finding) bool { return c.Code == f.Code && c.File == f.File && c.Line == f.Line }
		if !slices.ContainsFunc(findings, compiled) { // the compiler says more
			findings = append(findings, f)
		}
	}
	return Tidy(findings)
}

// rounds is how often rules with problems are left out to find further problems.
const rounds = 5

// CompileFindings compiles modules and finds all problems.
func CompileFindings(modules []Module, compiler func() *ast.Compiler) []*Finding {
	findings, _ := compile(modules, compiler)
	return findings
}

// compile finds all problems of modules, and returns them compiled, by file. The
// compiler works in stages and stops after the first stage that fails, so the rules
// with problems are left out and the others compiled again.
func compile(modules []Module, compiler func() *ast.Compiler) ([]*Finding, map[string]*ast.Module) {
	var findings []*Finding
	out := map[*ast.Rule]bool{}
	for round := range rounds {
		c := compiler()
		c.Compile(without(modules, out))
		if !c.Failed() {
			return findings, c.Modules
		}
		before := len(out)
		for _, f := range CompileProblems(modules, c.Errors) {
			if round > 0 && follows(f, modules) {
				continue
			}
			findings = append(findings, f)
			for _, m := range modules {
				if m.File == f.File {
					leaveOut(m, f.Line, out)
				}
			}
		}
		if len(out) == before {
			break
		}
	}
	return findings, nil
}

// leaveOut removes the rule at a line from a module.
func leaveOut(m Module, line int, out map[*ast.Rule]bool) {
	var last *ast.Rule
	for _, r := range m.Parsed.Rules {
		if r.Location.Row <= line {
			last = r
		}
	}
	if last != nil {
		out[last] = true
	}
}

// without copies modules except some of their rules.
func without(modules []Module, out map[*ast.Rule]bool) map[string]*ast.Module {
	all := Copies(modules)
	for _, m := range modules {
		var kept []*ast.Rule
		for i, r := range m.Parsed.Rules {
			if !out[r] {
				kept = append(kept, all[m.File].Rules[i])
			}
		}
		all[m.File].Rules = kept
	}
	return all
}

// follows reports whether a finding may exist only because rules were left out: an
// unused import, an unknown function.
func follows(f *Finding, modules []Module) bool {
	for _, m := range modules {
		if m.File != f.File {
			continue
		}
		for _, i := range m.Parsed.Imports {
			if i.Location.Row == f.Line {
				return true
			}
		}
	}
	return f.Code == "unknown-function" && f.Hint == ""
}

// synonyms are other words for the decisions of the contract.
var synonyms = map[string]string{
	"allow": Keep, "kept": Keep, "retain": Keep, "protect": Keep,
	"deleted": Delete, "remove": Delete, "purge": Delete, "expire": Delete,
	"violation": Deny, "violations": Deny, "denied": Deny, "denies": Deny, "forbid": Deny,
	"warning": Warn, "warnings": Warn,
	"visible": Visibility,
}

// dead finds decisions in packages that are never evaluated and that nothing refers
// to: a keep that is never evaluated protects nothing.
func dead(m Module, all []Module) []*Finding {
	if _, _, wrong := m.Subject(); wrong != nil {
		return nil
	}
	var out []*Finding
	for _, rule := range m.Parsed.Rules {
		name := RuleName(rule)
		if !IsDecision(name) || len(rule.Head.Args) > 0 || refersTo(all, m.Parsed.Package.Path, name) {
			continue
		}
		out = append(out, m.Finding(rule.Location, name, Problem, "dead-decision",
			"%s is never evaluated: only packages janitor.image.<name> and janitor.namespace.<name> decide", name).
			WithHint("rename the package, or the rule if it is a helper"))
	}
	return out
}

// misspelled finds rules whose name is nearly the name of a decision, and that nothing
// refers to: they would never be evaluated.
func misspelled(m Module, all []Module) []*Finding {
	var out []*Finding
	for _, rule := range m.Parsed.Rules {
		name := RuleName(rule)
		if IsDecision(name) || rule.Default {
			continue
		}
		meant := meantDecision(strings.ToLower(name))
		if meant == "" || refersTo(all, m.Parsed.Package.Path, name) {
			continue
		}
		out = append(out, m.Finding(rule.Location, name, Problem, "misspelt-decision",
			"%s is not a decision, and nothing else uses it", name).
			WithHint("did you mean %s? The decisions are %s", meant, strings.Join(decisionNames(), ", ")))
	}
	return out
}

// meantDecision is the decision that a name stands for or misspells; "" for none.
// It is stricter than a hint needs to be, since a short name is near to many words.
func meantDecision(name string) string {
	letters := func(s string) []byte { return slices.Sorted(slices.Values([]byte(s))) }
	for _, decision := range decisionNames() {
		swapped := strings.HasPrefix(name, decision[:1]) && bytes.Equal(letters(name), letters(decision))
		if swapped || levenshtein.ComputeDistance(name, decision) <= min(2, (len(decision)+1)/3) {
			return decision
		}
	}
	return synonyms[name]
}

// refersTo reports whether any rule refers to a rule of a package.
func refersTo(modules []Module, path ast.Ref, name string) bool {
	full := path.Append(ast.StringTerm(name))
	for _, m := range modules {
		same := m.Parsed.Package.Path.Equal(path)
		imports := ImportsOf(m)
		yes := false
		for _, rule := range m.Parsed.Rules {
			visit := func(ref ast.Ref) bool {
				ref = imports.Resolve(ref)
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

// walkUses visits what a rule refers to: all references and plain names, except its
// own name.
func walkUses(rule *ast.Rule, visit func(ast.Ref) bool) {
	visitIn := func(x any) {
		ast.WalkRefs(x, visit)
		ast.WalkVars(x, func(v ast.Var) bool { return visit(ast.Ref{ast.NewTerm(v)}) })
	}
	if rule.Head.Key != nil {
		visitIn(rule.Head.Key)
	}
	if rule.Head.Value != nil {
		visitIn(rule.Head.Value)
	}
	for _, term := range rule.Head.Reference[min(1, len(rule.Head.Reference)):] {
		visitIn(term)
	}
	visitIn(rule.Body)
}

// Imports are what the names that a module imports stand for.
type Imports map[ast.Var]ast.Ref

// ImportsOf are those of a module.
func ImportsOf(m Module) Imports {
	out := Imports{}
	for _, i := range m.Parsed.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok {
			out[i.Name()] = ref
		}
	}
	return out
}

// Resolve spells out a reference that begins with an imported name.
func (i Imports) Resolve(ref ast.Ref) ast.Ref {
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
	return []string{Delete, Keep, Deny, Warn, Visibility}
}
