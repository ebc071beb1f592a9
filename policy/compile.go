package policy

import (
	"context"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/policy/schema"
)

// program is the compiled policies of one subject.
type program struct {
	packages []*rulePackage
	files    []string // of the modules
	// own reports whether the operator's modules judge this subject too and need the
	// full input document.
	own bool
	// readers are the built-in policies that read the image or namespace itself, and
	// not only facts.
	readers []string
	// content reports whether the operator's modules name the content of tags.
	content bool
	marks   phase // delete, visibility, deny and warn
	keeps   phase // keep
}

// phase is one query over all packages, and one for each package.
type phase struct {
	text   string
	all    rego.PreparedEvalQuery
	slots  []slot
	single []single
}

// slot describes an element of a query's answer.
type slot struct {
	pkg  *rulePackage
	kind string
}

type single struct {
	text  string
	query rego.PreparedEvalQuery
	slots []slot
}

// compile builds the program of one subject out of the built-in and the
// operator's modules.
//
// Built-in policies that the configuration has no rule for are left out: they
// would only cost time.
func compile(ctx context.Context, subject modules.Subject, s *modules.Set, set *facts.Rules, data map[string]any) (*program, error) {
	used := modules.Reachable(slices.DeleteFunc(slices.Clone(s.Modules), func(m modules.Module) bool {
		return m.Builtin && !set.Drives(m)
	}), subject)
	compiled := modules.Copies(used)
	p := &program{}
	byPath := map[string]*rulePackage{}
	annotations, errs := modules.Annotate(used)
	if len(errs) > 0 {
		return nil, errs
	}
	for _, m := range used {
		p.files = append(p.files, m.File)
		p.content = p.content || !m.Builtin && namesContent(m)
		if !m.Decides() {
			continue
		}
		if err := p.add(m, compiled[m.File], byPath, annotations); err != nil {
			return nil, err
		}
		p.own = p.own || !m.Builtin
		if _, label, wrong := m.Subject(); wrong == nil && m.Builtin && readsObjects(m) {
			p.readers = append(p.readers, label)
		}
	}
	builtin := slices.DeleteFunc(slices.Clone(p.packages), func(pkg *rulePackage) bool { return !pkg.builtin })
	own := slices.DeleteFunc(p.packages, func(pkg *rulePackage) bool { return pkg.builtin })
	p.packages = append(builtin, own...) // if time gets short, the built-in ones have had theirs
	p.marks.declare(p.packages, modules.Delete, modules.Deny, modules.Warn, modules.Visibility)
	p.keeps.declare(p.packages, modules.Keep)
	c := modules.NewCompiler(schema.WithFacts(string(subject)))
	c.Compile(compiled)
	if c.Failed() {
		return nil, modules.Problems(modules.CompileProblems(used, c.Errors))
	}
	return p, p.prepare(ctx, c, data)
}

// readsObjects reports whether a module reads more of the input than the facts.
func readsObjects(m modules.Module) bool {
	reads := false
	ast.WalkRefs(m.Parsed, func(ref ast.Ref) bool {
		isFact := len(ref) > 1 && ref[1].Value.Compare(ast.String("facts")) == 0
		reads = reads || ref.HasPrefix(ast.InputRootRef) && !isFact
		return false
	})
	return reads
}

// namesContent reports whether a module has the name of the content of tags, wherever
// it is.
func namesContent(m modules.Module) bool {
	names := false
	ast.WalkTerms(m.Parsed, func(t *ast.Term) bool {
		names = names || t.Value.Compare(ast.String("content")) == 0
		return names
	})
	return names
}

// add registers the decision rules of a module and gives its compiled copy
// their shadows.
func (p *program) add(m modules.Module, compiled *ast.Module, byPath map[string]*rulePackage, annotations *ast.AnnotationSet) error {
	_, label, wrong := m.Subject()
	if wrong != nil {
		return wrong
	}
	rules, broken := m.Decisions()
	if len(broken) > 0 || len(rules) == 0 {
		return modules.Problems(broken)
	}
	path := m.Parsed.Package.Path
	pkg := byPath[path.String()]
	if pkg == nil {
		pkg = &rulePackage{path: path, label: label, builtin: m.Builtin}
		byPath[path.String()] = pkg
		p.packages = append(p.packages, pkg)
	}
	for _, rule := range rules {
		name := modules.RuleName(rule)
		if !rule.Default {
			copied := shadow(rule, name, len(pkg.rules))
			copied.Module = compiled
			compiled.Rules = append(compiled.Rules, copied)
		}
		source := m.Source(rule, name, annotations)
		pkg.rules = append(pkg.rules, &decisionRule{kind: name, source: source, place: source.Place(), isDefault: rule.Default})
	}
	return nil
}

// declare writes the query over all packages, and the one for each package.
func (ph *phase) declare(packages []*rulePackage, kinds ...string) {
	var all []string
	for _, pkg := range packages {
		var slots []slot
		var refs []string
		for _, kind := range kinds {
			if pkg.hasShadow(kind) {
				slots = append(slots, slot{pkg, kind})
				refs = append(refs, pkg.path.String()+"."+modules.ShadowPrefix+kind)
			}
			if kind == modules.Visibility && !pkg.builtin && pkg.has(kind) { // its conflicts and default count
				slots = append(slots, slot{pkg, visibilityValue})
				refs = append(refs, "{v | v := "+pkg.path.String()+"."+modules.Visibility+"}")
			}
		}
		if len(slots) == 0 {
			continue
		}
		ph.single = append(ph.single, single{text: arrayOf(refs), slots: slots})
		ph.slots = append(ph.slots, slots...)
		all = append(all, refs...)
	}
	ph.text = arrayOf(all)
}

func arrayOf(refs []string) string { return "[" + strings.Join(refs, ", ") + "]" }

// visibilityValue is the kind of the slot with the value of a package's visibility
// rules together.
const visibilityValue = "visibility value"

// prepare makes the queries ready for evaluation.
func (p *program) prepare(ctx context.Context, c *ast.Compiler, data map[string]any) error {
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	query := func(text string) (rego.PreparedEvalQuery, error) {
		return rego.New(
			rego.Query(text),
			rego.Compiler(c),
			rego.Store(store),
			rego.StrictBuiltinErrors(true),
			rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t, nil }),
		).PrepareForEval(ctx)
	}
	for _, ph := range []*phase{&p.marks, &p.keeps} {
		var err error
		if ph.all, err = query(ph.text); err != nil {
			return err
		}
		for i := range ph.single {
			if ph.single[i].query, err = query(ph.single[i].text); err != nil {
				return err
			}
		}
	}
	return nil
}
