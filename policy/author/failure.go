package author

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// TestFailure is the expression that failed a test, with its values.
type TestFailure struct {
	Line       int    `json:"line"`
	Expression string `json:"expression"` // as written
	// Expected and Actual are the two sides of a comparison. A literal is what is
	// expected; of two computed values, the second one is.
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	// Values is any other expression with the values of its variables.
	Values string `json:"values,omitempty"`
}

// explainFailures runs the tests that failed once more, and records why: a trace of every
// test would cost too much.
func explainFailures(ctx context.Context, runner *tester.Runner, eval *evaluator, report *TestReport) error {
	var names []string
	for _, t := range report.Results {
		if name, _, _ := strings.Cut(t.Name, "/"); t.Outcome == TestFailed {
			names = append(names, regexp.QuoteMeta("data."+t.Package+"."+name)+"$")
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	results, err := runner.EnableTracing(true).Filter(strings.Join(slices.Compact(names), "|")).RunTests(ctx, nil)
	if err != nil {
		return err
	}
	failures := map[string]*TestFailure{}
	for result := range results {
		key := strings.TrimPrefix(result.Package, "data.") + "." + result.Name
		failures[key] = eval.failureOf(ctx, result.Trace, result.Location)
		for path, sub := range result.SubResults.Iter {
			failures[key+"/"+strings.Join(path, "/")] = eval.failureOf(ctx, sub.Trace, result.Location)
		}
	}
	for i := range report.Results {
		if t := &report.Results[i]; t.Outcome == TestFailed {
			t.Failure = failures[t.Package+"."+t.Name]
		}
	}
	return ctx.Err()
}

// failureOf finds the last expression of the test that failed.
func (x *evaluator) failureOf(ctx context.Context, trace []*topdown.Event, test *ast.Location) *TestFailure {
	for _, e := range slices.Backward(trace) {
		expr, ok := e.Node.(*ast.Expr)
		if e.Op != topdown.FailOp || !ok || e.Location == nil || test == nil || e.Location.File != test.File {
			continue
		}
		if _, isEvery := expr.Terms.(*ast.Every); isEvery {
			continue // the expression inside of it says more
		}
		f := &TestFailure{Line: e.Location.Row, Expression: strings.Join(strings.Fields(string(e.Location.Text)), " ")}
		f.compare(ctx, x, e, expr)
		return f
	}
	return nil
}

// compare fills in the values of the expression.
func (f *TestFailure) compare(ctx context.Context, eval *evaluator, e *topdown.Event, expr *ast.Expr) {
	if t, ok := expr.Terms.(*ast.Term); ok {
		f.Values = brief(eval.value(ctx, t, expr.With, e.Locals).String())
		return
	}
	if !expr.IsCall() {
		return
	}
	var values []*ast.Term
	for _, o := range expr.Operands() {
		values = append(values, eval.value(ctx, o, expr.With, e.Locals))
	}
	name := expr.Operator().String()
	if builtin := ast.BuiltinMap[name]; len(values) == 2 && builtin != nil && builtin.Infix != "" && name != ast.Equal.Name && name != ast.Equality.Name {
		f.Values = brief(values[0].String() + " " + builtin.Infix + " " + values[1].String())
		return
	}
	if len(values) != 2 || name != ast.Equal.Name && name != ast.Equality.Name || expr.Negated {
		terms := append([]*ast.Term{ast.NewTerm(expr.Operator())}, values...)
		f.Values = brief((&ast.Expr{Terms: terms}).String())
		return
	}
	actual, expected := 0, 1
	if isLiteral(expr.Operand(0)) && !isLiteral(expr.Operand(1)) {
		actual, expected = 1, 0
	}
	f.Actual, f.Expected = brief(values[actual].String()), brief(values[expected].String())
}

func isLiteral(t *ast.Term) bool { return t.IsGround() && !ast.ContainsRefs(t) }

// evaluator finds the values of terms after a test.
type evaluator struct {
	compiler *ast.Compiler // of the run
	store    storage.Store
	timeout  time.Duration
}

// undefined stands for a term without a value.
func undefined() *ast.Term { return ast.VarTerm("undefined") }

// value is a term with the values of its variables, and of what it refers to.
func (x *evaluator) value(ctx context.Context, t *ast.Term, with []*ast.With, locals *ast.ValueMap) *ast.Term {
	t = filled(t, locals)
	if isLiteral(t) || !t.IsGround() && !ast.ContainsRefs(t) {
		return t
	}
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	const name = ast.Var("value")
	query := ast.Equality.Expr(ast.NewTerm(name), t)
	for _, w := range with {
		query.With = append(query.With, &ast.With{Target: w.Target, Value: filled(w.Value, locals)})
	}
	txn, err := x.store.NewTransaction(ctx)
	if err != nil {
		return undefined()
	}
	defer x.store.Abort(ctx, txn)
	results, err := topdown.NewQuery(ast.NewBody(query)).WithCompiler(x.compiler).WithStore(x.store).WithTransaction(txn).Run(ctx)
	if err != nil || len(results) == 0 || results[0][name] == nil {
		return undefined()
	}
	return results[0][name]
}

// filled is a term with the values of its local variables.
func filled(t *ast.Term, locals *ast.ValueMap) *ast.Term {
	if locals == nil {
		return t
	}
	out, err := ast.TransformVars(t.Copy().Value, func(v ast.Var) (ast.Value, error) {
		if value := locals.Get(v); value != nil {
			return value, nil
		}
		return v, nil
	})
	if value, ok := out.(ast.Value); ok && err == nil {
		return ast.NewTerm(value)
	}
	return t
}

// brief bounds a value in a report of tests.
func brief(value string) string { return text.Clip(value, 2000) }

// words are the values in one line.
func (f *TestFailure) words() string {
	switch {
	case f == nil:
		return ""
	case f.Expected != "":
		return ": expected " + f.Expected + ", actual " + f.Actual
	case f.Values != "":
		return ": " + f.Values
	}
	return ""
}

// write adds the failure to a text.
func (f *TestFailure) write(b *strings.Builder, file string) {
	if f == nil {
		return
	}
	b.WriteString("    " + place(file, f.Line) + f.Expression + "\n")
	for _, row := range [][2]string{{"expected", f.Expected}, {"actual", f.Actual}, {"values", f.Values}} {
		if row[1] != "" {
			b.WriteString("      " + row[0] + strings.Repeat(" ", 10-len(row[0])) + row[1] + "\n")
		}
	}
}
