package modules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Module is one Rego file.
type Module struct {
	File    string
	Raw     []byte
	Parsed  *ast.Module // nil for a test until it is parsed
	Builtin bool
	Bundle  string // the bundle that it came in; "" for a loose file
	Trial   bool   // it is shown, but never applied
}

// Subject is what a package judges.
type Subject string

// The subjects of packages.
const (
	Image     Subject = "image"
	Namespace Subject = "namespace"
)

// The rules of the contract. Everything else in a package is a helper.
const (
	Delete     = "delete"
	Keep       = "keep"
	Deny       = "deny"
	Warn       = "warn"
	Visibility = "visibility"
)

// ShadowPrefix begins the names of rules that package policy adds to modules.
const ShadowPrefix = "__janitor_"

// IsDecision reports whether a rule of this name decides.
func IsDecision(name string) bool {
	switch name {
	case Delete, Keep, Deny, Warn, Visibility:
		return true
	}
	return false
}

// Subject is what the package of the module judges, and the label of its
// decisions; "" for a package of helpers. A package below janitor that is neither
// is an error, since its rules would never be evaluated.
func (m *Module) Subject() (Subject, string, *Finding) {
	path := m.Parsed.Package.Path[1:] // without data
	if len(path) == 0 || path[0].Value.Compare(ast.String("janitor")) != 0 {
		return "", "", nil
	}
	words := make([]string, len(path))
	for i, term := range path {
		words[i] = string(term.Value.(ast.String))
	}
	if m.Builtin {
		return Subject(words[2]), strings.Join(words[3:], "/"), nil
	}
	if len(words) >= 3 && (words[1] == string(Image) || words[1] == string(Namespace)) {
		return Subject(words[1]), strings.Join(words[2:], "/"), nil
	}
	return "", "", m.Finding(m.Parsed.Package.Location, "", Problem, "package", "package %s is never evaluated: name it janitor.image.<name> or janitor.namespace.<name>", strings.Join(words, "."))
}

// Decides reports whether the rules of the module count.
func (m *Module) Decides() bool {
	subject, _, wrong := m.Subject()
	return wrong == nil && subject != ""
}

// Decisions collects the decision rules of the module, and refuses those whose
// form is not that of the contract.
func (m *Module) Decisions() ([]*ast.Rule, []*Finding) {
	var rules []*ast.Rule
	var wrong []*Finding
	for _, rule := range m.Parsed.Rules {
		name := RuleName(rule)
		if strings.HasPrefix(name, ShadowPrefix) {
			wrong = append(wrong, m.Finding(rule.Location, name, Problem, "reserved-name", "names that begin with %s are reserved", ShadowPrefix))
			continue
		}
		if !IsDecision(name) {
			continue
		}
		if f := m.checkHead(rule, name); f != nil {
			wrong = append(wrong, f)
			continue
		}
		rules = append(rules, rule)
	}
	return rules, wrong
}

// RuleName is the first word of a rule's name.
func RuleName(rule *ast.Rule) string {
	name, _ := rule.Head.Ref()[0].Value.(ast.Var)
	return string(name)
}

func (m *Module) checkHead(rule *ast.Rule, name string) *Finding {
	wrong := func(format string, args ...any) *Finding {
		return m.Finding(rule.Location, name, Problem, "decision-form", format, args...)
	}
	set := rule.Head.RuleKind() == ast.MultiValue && len(rule.Head.Ref()) == 1
	switch {
	case len(rule.Head.Args) > 0:
		return wrong("%s is a decision, not a function: give the helper another name", name)
	case name == Visibility && m.Builtin, name != Visibility && set:
		return nil
	case name == Visibility && (set || len(rule.Head.Ref()) != 1):
		return wrong("write visibility := \"private\" if …, one value for the image or namespace")
	case name == Visibility:
		return nil
	}
	return wrong("write %s contains … if …", name)
}

// Source is where a decision comes from.
type Source struct {
	Package  string // "janitor.image.previews"
	Name     string // the rule's name: "delete"
	File     string // "" for a built-in rule
	Line     int
	Title    string // METADATA title; "" where the rule has none
	Severity string // METADATA custom.severity; "" where the rule has none
	// ReportOnly says that the rule is shown, but never applied: its module is on
	// trial, or its METADATA has custom.enforce: false.
	ReportOnly bool
}

// Place is "file:line" of a rule of the operator's own, and "" for a built-in one.
func (s *Source) Place() string {
	if s.File == "" {
		return ""
	}
	return s.File + ":" + strconv.Itoa(s.Line)
}

// Source describes a rule: its place, and the nearest METADATA title, severity and
// enforce, of the rule itself, its document or its package.
func (m *Module) Source(rule *ast.Rule, name string, annotations *ast.AnnotationSet) *Source {
	s := &Source{
		Package: strings.TrimPrefix(m.Parsed.Package.Path.String(), "data."),
		Name:    name,
		Line:    rule.Location.Row,
	}
	if !m.Builtin {
		s.File = m.File
	}
	enforced, decided := true, false
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
		if enforce, ok := a.Annotations.Custom["enforce"].(bool); ok && !decided {
			enforced, decided = enforce, true
		}
	}
	s.ReportOnly = m.Trial || !enforced
	return s
}

// checkEnforce refuses METADATA whose custom.enforce is neither true nor false: what
// was meant to be only shown would be applied.
func (m *Module) checkEnforce() []*Finding {
	var out []*Finding
	for _, a := range m.Parsed.Annotations {
		if value, given := a.Custom["enforce"]; given {
			if _, ok := value.(bool); !ok {
				out = append(out, m.Finding(a.Location, "", Problem, "metadata", "custom.enforce is %v: write true or false, without quotes", value))
			}
		}
	}
	return out
}

// Reachable returns the modules that judge the subject and the helpers that
// they refer to, directly or not. A helper may read fields that only one of the
// subjects has.
func Reachable(modules []Module, want Subject) []Module {
	taken := make([]bool, len(modules))
	var todo []int
	take := func(i int) {
		if !taken[i] {
			taken[i] = true
			todo = append(todo, i)
		}
	}
	for i, m := range modules {
		if s, _, err := m.Subject(); err == nil && s == want {
			take(i)
		}
	}
	for len(todo) > 0 {
		from := modules[todo[0]]
		todo = todo[1:]
		ast.WalkRefs(from.Parsed, func(ref ast.Ref) bool {
			for i, m := range modules {
				path := m.Parsed.Package.Path
				if s, _, _ := m.Subject(); s == "" && (ref.HasPrefix(path) || path.HasPrefix(ref.ConstantPrefix())) && len(ref.ConstantPrefix()) > 1 {
					take(i)
				}
			}
			return false
		})
	}
	var out []Module
	for i, m := range modules {
		if taken[i] {
			out = append(out, m)
		}
	}
	return out
}

// Copies are the modules by file, to compile: the compiler changes what it is given.
func Copies(modules []Module) map[string]*ast.Module {
	out := make(map[string]*ast.Module, len(modules))
	for _, m := range modules {
		out[m.File] = m.Parsed.Copy()
	}
	return out
}

// Annotate reads the METADATA of modules.
func Annotate(modules []Module) (*ast.AnnotationSet, ast.Errors) {
	var all []*ast.Module
	for _, m := range modules {
		all = append(all, m.Parsed)
	}
	return ast.BuildAnnotationSet(all)
}

// parse reads the text of a module.
func (m *Module) parse() []*Finding {
	parsed, err := ast.ParseModuleWithOpts(m.File, string(m.Raw), ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
	var problems ast.Errors
	switch {
	case err == nil && parsed == nil:
		return []*Finding{{File: m.File, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: "the file is empty", Hint: "remove it, or begin it with: package janitor.image.<name>"}}
	case err == nil:
		m.Parsed = parsed
		return nil
	case !errors.As(err, &problems):
		return []*Finding{{File: m.File, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: err.Error()}}
	}
	var out []*Finding
	for _, e := range problems {
		f := &Finding{File: m.File, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: compilerText(e)}
		if e.Location != nil {
			f.Line, f.Col = e.Location.Row, e.Location.Col
		}
		out = append(out, f)
	}
	return out
}

// Digest is the digest of this one module.
func (m *Module) Digest() string {
	sum := sha256.Sum256(m.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
