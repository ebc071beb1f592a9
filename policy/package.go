package policy

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// rulePackage is one package whose decisions count.
type rulePackage struct {
	path    ast.Ref // data.janitor.image.previews
	label   string  // "previews"; for built-in ones "retention", "visibility" …
	builtin bool
	rules   []*decisionRule
}

// decisionRule is one rule that makes decisions.
type decisionRule struct {
	kind      string
	source    *modules.Source
	place     string // of the source
	isDefault bool
}

// has reports whether the package has a rule of this kind.
func (d *rulePackage) has(kind string) bool {
	return slices.ContainsFunc(d.rules, func(r *decisionRule) bool { return r.kind == kind })
}

// hasShadow reports whether one of those rules has a shadow: all except defaults.
func (d *rulePackage) hasShadow(kind string) bool {
	return slices.ContainsFunc(d.rules, func(r *decisionRule) bool { return r.kind == kind && !r.isDefault })
}

// name is the package as policies write it.
func (d *rulePackage) name() string { return strings.TrimPrefix(d.path.String(), "data.") }

// shadow copies a decision rule so that each element names the rule that made it.
func shadow(rule *ast.Rule, name string, index int) *ast.Rule {
	c := rule.Copy()
	v := ast.VarTerm(modules.ShadowPrefix + name)
	value := c.Head.Key
	if value == nil { // visibility := value
		value = c.Head.Value
	}
	c.Head = ast.NewHead(ast.Var(modules.ShadowPrefix + name))
	c.Head.Reference = ast.Ref{v}
	c.Head.Location = rule.Head.Location
	c.Head.Key = ast.ArrayTerm(ast.IntNumberTerm(index), value)
	c.Annotations = nil
	c.Else = nil
	return c
}

// ruleName names a decision in reports: package/title, or package/rule.
func (d *rulePackage) ruleName(source *modules.Source, own string) string {
	switch {
	case own != "":
		return d.label + "/" + own
	case source.Title != "":
		return d.label + "/" + source.Title
	}
	return d.label + "/" + source.Name
}
