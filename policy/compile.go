package policy

import (
	"context"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/registry-janitor/registry-janitor/registry"
)

// decides reports whether the package of the module is one whose rules count.
func decides(m module) bool {
	subject, _, err := packageSubject(m)
	return err == nil && subject != ""
}

// newCompiler is strict, hermetic and typed.
func newCompiler(schema any) *ast.Compiler {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	return ast.NewCompiler().
		WithCapabilities(capabilities()).
		WithSchemas(schemas).
		WithStrict(true).
		WithEnablePrintStatements(true)
}

// capabilities are OPA's own without what could make a judgement depend on
// anything but its input, and with < and > narrowed to numbers: Rego orders
// every number below every string, so that age_days < "30d" would always hold.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.AllowNet = []string{}
	builtins := make([]*ast.Builtin, 0, len(c.Builtins))
	for _, b := range c.Builtins {
		switch b.Name {
		case ast.GreaterThan.Name, ast.GreaterThanEq.Name, ast.LessThan.Name, ast.LessThanEq.Name:
			narrow := *b
			narrow.Decl = types.NewFunction(types.Args(types.N, types.N), types.B)
			b = &narrow
		case ast.NowNanos.Name: // follows the time of the scan
		default:
			if b.Nondeterministic || !hermetic(b.Name) {
				continue
			}
		}
		builtins = append(builtins, b)
	}
	c.Builtins = builtins
	return c
}

// hermetic reports whether a built-in of this name stays inside the evaluation.
func hermetic(name string) bool {
	for _, family := range []string{"http.", "net.", "rand.", "opa.", "rego.", "providers.", "uuid.rfc4122"} {
		if strings.HasPrefix(name, family) {
			return false
		}
	}
	return true
}

// reachable returns the modules that judge the subject and the helpers that
// they refer to, directly or not. A helper may read fields that only one of the
// subjects has.
func reachable(modules []module, want subject) []module {
	taken := make([]bool, len(modules))
	var todo []int
	take := func(i int) {
		if !taken[i] {
			taken[i] = true
			todo = append(todo, i)
		}
	}
	for i, m := range modules {
		if s, _, err := packageSubject(m); err == nil && s == want {
			take(i)
		}
	}
	for len(todo) > 0 {
		from := modules[todo[0]]
		todo = todo[1:]
		ast.WalkRefs(from.parsed, func(ref ast.Ref) bool {
			for i, m := range modules {
				path := m.parsed.Package.Path
				if s, _, _ := packageSubject(m); s == "" && (ref.HasPrefix(path) || path.HasPrefix(ref.ConstantPrefix())) && len(ref.ConstantPrefix()) > 1 {
					take(i)
				}
			}
			return false
		})
	}
	var out []module
	for i, m := range modules {
		if taken[i] {
			out = append(out, m)
		}
	}
	return out
}

func parsed(modules []module) map[string]*ast.Module {
	out := make(map[string]*ast.Module, len(modules))
	for _, m := range modules {
		out[m.file] = m.parsed.Copy()
	}
	return out
}

// program is the compiled policies of one subject.
type program struct {
	packages []*deciding
	// own reports whether the operator's modules judge this subject too, so that
	// the full input document is worth building.
	own bool
	// readers are the built-in policies that look at the image or namespace itself,
	// and not at facts alone.
	readers []string
	ask     phase // what is condemned, violated or to be visible
	veto    phase // what is kept
}

// phase is one query, and the same package by package for when it fails.
type phase struct {
	text   string
	all    rego.PreparedEvalQuery
	slots  []slot
	single []single
}

// slot says what an element of a query's answer is.
type slot struct {
	pkg  *deciding
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
// Built-in policies that the configuration has no rule for are left out: asking
// them would only cost time.
func compile(ctx context.Context, subject subject, s *sources, set *settings, data map[string]any) (*program, error) {
	modules := reachable(slices.DeleteFunc(slices.Clone(s.modules), func(m module) bool {
		return m.builtin && !set.drives(m)
	}), subject)
	compiled := parsed(modules)
	p := &program{}
	byPath := map[string]*deciding{}
	annotations, errs := annotate(modules)
	if len(errs) > 0 {
		return nil, errs
	}
	for _, m := range modules {
		if !decides(m) {
			continue
		}
		if err := p.add(m, compiled[m.file], byPath, annotations); err != nil {
			return nil, err
		}
		p.own = p.own || !m.builtin
		if _, label, wrong := packageSubject(m); wrong == nil && m.builtin && readsObjects(m) {
			p.readers = append(p.readers, label)
		}
	}
	p.ask.declare(p.packages, ruleDelete, ruleDeny, ruleWarn, ruleVisibility)
	p.veto.declare(p.packages, ruleKeep)
	c := newCompiler(factSchema(subject))
	c.Compile(compiled)
	if c.Failed() {
		return nil, problemsOf(compileProblems(modules, c.Errors))
	}
	return p, p.prepare(ctx, c, data)
}

// readsObjects reports whether a module reads more of the input than the facts.
func readsObjects(m module) bool {
	reads := false
	ast.WalkRefs(m.parsed, func(ref ast.Ref) bool {
		facts := len(ref) > 1 && ref[1].Equal(keyFacts)
		reads = reads || ref.HasPrefix(ast.InputRootRef) && !facts
		return false
	})
	return reads
}

func annotate(modules []module) (*ast.AnnotationSet, ast.Errors) {
	var all []*ast.Module
	for _, m := range modules {
		all = append(all, m.parsed)
	}
	return ast.BuildAnnotationSet(all)
}

// add registers the decision rules of a module and gives its compiled copy
// their shadows.
func (p *program) add(m module, compiled *ast.Module, byPath map[string]*deciding, annotations *ast.AnnotationSet) error {
	_, label, wrong := packageSubject(m)
	if wrong != nil {
		return wrong
	}
	rules, broken := decisions(m)
	if len(broken) > 0 || len(rules) == 0 {
		return problemsOf(broken)
	}
	path := m.parsed.Package.Path
	pkg := byPath[path.String()]
	if pkg == nil {
		pkg = &deciding{path: path, label: label, builtin: m.builtin}
		byPath[path.String()] = pkg
		p.packages = append(p.packages, pkg)
	}
	for _, rule := range rules {
		name := ruleName(rule)
		if !rule.Default {
			copied := shadow(rule, name, len(pkg.rules))
			copied.Module = compiled
			compiled.Rules = append(compiled.Rules, copied)
		}
		source := source(m, rule, name, annotations)
		pkg.rules = append(pkg.rules, &decisionRule{kind: name, source: source, isDefault: rule.Default})
	}
	return nil
}

// declare writes the queries that ask all packages at once, and each on its own.
func (ph *phase) declare(packages []*deciding, kinds ...string) {
	var all []string
	for _, pkg := range packages {
		var slots []slot
		var refs []string
		for _, kind := range kinds {
			if pkg.hasShadow(kind) {
				slots = append(slots, slot{pkg, kind})
				refs = append(refs, pkg.path.String()+"."+shadowPrefix+kind)
			}
			if kind == ruleVisibility && !pkg.builtin && pkg.has(kind) { // its conflicts and default count
				slots = append(slots, slot{pkg, visibilityValue})
				refs = append(refs, "{v | v := "+pkg.path.String()+"."+ruleVisibility+"}")
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

// visibilityValue is the kind of the slot that holds what a package's
// visibility really is.
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
	for _, ph := range []*phase{&p.ask, &p.veto} {
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

// label names a decision in reports: package/title, or package/rule.
func (d *deciding) ruleName(source *registry.Source, own string) string {
	switch {
	case own != "":
		return d.label + "/" + own
	case source.Title != "":
		return d.label + "/" + source.Title
	}
	return d.label + "/" + source.Name
}
