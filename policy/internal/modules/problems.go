package modules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
)

// CompileProblems words the compiler's errors with file, line, package and rule.
func CompileProblems(modules []Module, errs ast.Errors) []*Finding {
	var out []*Finding
	for _, e := range errs {
		m, rule := enclosing(modules, e.Location)
		if m == nil {
			out = append(out, &Finding{Severity: Problem, Code: compilerCode(e), Message: e.Error()})
			continue
		}
		f := m.Finding(e.Location, rule, Problem, compilerCode(e), "%s", compilerText(e))
		f.Hint = compilerHint(e)
		out = append(out, f)
	}
	return out
}

func compilerCode(e *ast.Error) string {
	switch {
	case e.Code == ast.TypeErr && strings.HasPrefix(e.Message, "undefined ref:"):
		return "unknown-field"
	case e.Code == ast.TypeErr && strings.HasPrefix(e.Message, "undefined function "):
		return "unknown-function"
	}
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(e.Code, "rego_"), "_error"), "_", "-")
}

// compilerText is the message of the compiler, with its details.
func compilerText(e *ast.Error) string {
	message := strings.ReplaceAll(strings.TrimPrefix(e.Code, "rego_"), "_", " ") + ": " + e.Message
	if e.Details != nil {
		for _, line := range e.Details.Lines() {
			message += "\n\t" + line
		}
	}
	return message
}

// compilerHint adds what the compiler cannot know.
func compilerHint(e *ast.Error) string {
	if detail, ok := e.Details.(*ast.RefErrInvalidDetail); ok && detail.Pos < len(detail.Ref) {
		word, _ := detail.Ref[detail.Pos].Value.(ast.String)
		var fields []string
		for _, v := range detail.OneOf {
			if s, ok := v.(ast.String); ok {
				fields = append(fields, string(s))
			}
		}
		if meant := text.Nearest(string(word), fields); meant != "" {
			return "did you mean " + meant + "?"
		}
		return ""
	}
	if name, ok := strings.CutPrefix(e.Message, "undefined function "); ok {
		return forbidden(name)
	}
	for _, operator := range []string{"lt", "lte", "gt", "gte"} {
		if strings.HasPrefix(e.Message, operator+": invalid argument") {
			return "only numbers compare by size here, since Rego puts every number below every string: age_days > 30"
		}
	}
	return ""
}

// forbidden explains why a built-in function does not exist.
func forbidden(name string) string {
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		if b.Name == name {
			return "policies cannot reach outside, and every call is bounded (docs/policies.md lists what is not offered): pass what a policy needs as input or data"
		}
	}
	var names []string
	for _, b := range builtins.Capabilities().Builtins {
		names = append(names, b.Name)
	}
	if meant := text.Nearest(name, names); meant != "" {
		return "did you mean " + meant + "?"
	}
	return ""
}

// enclosing finds the module and the rule in which a location lies.
func enclosing(modules []Module, at *ast.Location) (*Module, string) {
	if at == nil {
		return nil, ""
	}
	for i := range modules {
		m := &modules[i]
		if m.File != at.File {
			continue
		}
		rule := ""
		for _, r := range m.Parsed.Rules {
			if r.Location.Row <= at.Row {
				rule = r.Head.Ref().String()
			}
		}
		return m, rule
	}
	return nil, ""
}
