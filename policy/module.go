package policy

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// subject is what a package judges.
type subject string

const (
	imageSubject     subject = "image"
	namespaceSubject subject = "namespace"
)

// The rules of the contract. Everything else in a package is a helper.
const (
	ruleDelete     = "delete"
	ruleKeep       = "keep"
	ruleDeny       = "deny"
	ruleWarn       = "warn"
	ruleVisibility = "visibility"
)

func isDecision(name string) bool {
	switch name {
	case ruleDelete, ruleKeep, ruleDeny, ruleWarn, ruleVisibility:
		return true
	}
	return false
}

// shadowPrefix begins the names of the copies that the compiler makes of
// decision rules to learn which rule decided.
const shadowPrefix = "__janitor_"

// deciding is one package whose decisions count.
type deciding struct {
	path    ast.Ref // data.janitor.image.previews
	label   string  // "previews"; for built-in ones "retention", "visibility" …
	builtin bool
	rules   []*decisionRule
}

// decisionRule is one rule that makes decisions.
type decisionRule struct {
	kind      string
	source    *registry.Source
	isDefault bool
}

// has reports whether the package has a rule of this kind.
func (d *deciding) has(kind string) bool {
	return slices.ContainsFunc(d.rules, func(r *decisionRule) bool { return r.kind == kind })
}

// hasShadow reports whether one of those rules has a shadow: all but defaults.
func (d *deciding) hasShadow(kind string) bool {
	return slices.ContainsFunc(d.rules, func(r *decisionRule) bool { return r.kind == kind && !r.isDefault })
}

// name is the package as policies write it.
func (d *deciding) name() string { return strings.TrimPrefix(d.path.String(), "data.") }

// packageSubject tells what the package of a module judges: "" for a package of
// helpers. A package below janitor that is neither is an error, since its rules
// would never be asked.
func packageSubject(m module) (subject, string, *Finding) {
	path := m.parsed.Package.Path[1:] // without data
	if len(path) == 0 || path[0].Value.Compare(ast.String("janitor")) != 0 {
		return "", "", nil
	}
	words := make([]string, len(path))
	for i, term := range path {
		words[i] = string(term.Value.(ast.String))
	}
	if m.builtin {
		return subject(words[2]), strings.Join(words[3:], "/"), nil
	}
	if len(words) >= 3 && (words[1] == string(imageSubject) || words[1] == string(namespaceSubject)) {
		return subject(words[1]), strings.Join(words[2:], "/"), nil
	}
	return "", "", found(m, m.parsed.Package.Location, "", Problem, "package", "package %s is never asked: name it janitor.image.<name> or janitor.namespace.<name>", strings.Join(words, "."))
}

// decisions collects the decision rules of a module, and refuses those whose
// form is not that of the contract.
func decisions(m module) ([]*ast.Rule, []*Finding) {
	var rules []*ast.Rule
	var wrong []*Finding
	for _, rule := range m.parsed.Rules {
		name := ruleName(rule)
		if strings.HasPrefix(name, shadowPrefix) {
			wrong = append(wrong, found(m, rule.Location, name, Problem, "reserved-name", "names that begin with %s are reserved", shadowPrefix))
			continue
		}
		if !isDecision(name) {
			continue
		}
		if f := checkHead(m, rule, name); f != nil {
			wrong = append(wrong, f)
			continue
		}
		rules = append(rules, rule)
	}
	return rules, wrong
}

// ruleName is the first word of a rule's name.
func ruleName(rule *ast.Rule) string {
	name, _ := rule.Head.Ref()[0].Value.(ast.Var)
	return string(name)
}

func checkHead(m module, rule *ast.Rule, name string) *Finding {
	wrong := func(format string, args ...any) *Finding {
		return found(m, rule.Location, name, Problem, "decision-form", format, args...)
	}
	set := rule.Head.RuleKind() == ast.MultiValue && len(rule.Head.Ref()) == 1
	switch {
	case len(rule.Head.Args) > 0:
		return wrong("%s is a decision, not a function: give the helper another name", name)
	case name == ruleVisibility && m.builtin, name != ruleVisibility && set:
		return nil
	case name == ruleVisibility && (set || len(rule.Head.Ref()) != 1):
		return wrong("write visibility := \"private\" if …, one value for the image or namespace")
	case name == ruleVisibility:
		return nil
	}
	return wrong("write %s contains … if …", name)
}

// shadow copies a decision rule so that each element says which rule made it.
func shadow(rule *ast.Rule, name string, index int) *ast.Rule {
	c := rule.Copy()
	v := ast.VarTerm(shadowPrefix + name)
	value := c.Head.Key
	if value == nil { // visibility := value
		value = c.Head.Value
	}
	c.Head = ast.NewHead(ast.Var(shadowPrefix + name))
	c.Head.Reference = ast.Ref{v}
	c.Head.Location = rule.Head.Location
	c.Head.Key = ast.ArrayTerm(ast.IntNumberTerm(index), value)
	c.Annotations = nil
	c.Else = nil
	return c
}

// source describes a rule: its place, and the nearest METADATA title and
// severity, of the rule itself, its document or its package.
func source(m module, rule *ast.Rule, name string, annotations *ast.AnnotationSet) *registry.Source {
	s := &registry.Source{
		Package: strings.TrimPrefix(m.parsed.Package.Path.String(), "data."),
		Name:    name,
		Line:    rule.Location.Row,
	}
	if !m.builtin {
		s.File = m.file
	}
	for _, a := range annotations.Chain(rule) {
		if a.Annotations == nil {
			continue
		}
		if s.Title == "" {
			s.Title = a.Annotations.Title
		}
		if severity, ok := a.Annotations.Custom["severity"].(string); ok && s.Severity == "" {
			s.Severity = severity
		}
	}
	return s
}
