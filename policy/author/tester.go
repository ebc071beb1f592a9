package author

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// TestOptions select the tests to run, and how. The zero value runs all of them.
type TestOptions struct {
	// Run is a regular expression over "package.name"; "" runs every test.
	Run string
	// Coverage also records which lines the tests evaluate.
	Coverage bool
	// Timeout bounds one test; 0 means policy.DefaultTimeout.
	Timeout time.Duration
}

// TestResult is one test, or one case of a test that has several.
type TestResult struct {
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Package  string        `json:"package"` // without data.
	Name     string        `json:"name"`    // "test_x", or "test_x/case"
	Outcome  TestOutcome   `json:"outcome"`
	Duration time.Duration `json:"duration_ns"`
	// Output is what the test printed.
	Output string `json:"output,omitempty"`
	// Failure is what a test that failed compared; nil where that is not known.
	Failure *TestFailure `json:"failure,omitempty"`
	// Error is why a test could not be evaluated.
	Error string `json:"error,omitempty"`
}

// TestOutcome is how a test ended.
type TestOutcome string

// The outcomes. A test that could not be evaluated is an error; one that is
// called todo_test_x is skipped.
const (
	TestPassed  TestOutcome = "pass"
	TestFailed  TestOutcome = "fail"
	TestError   TestOutcome = "error"
	TestSkipped TestOutcome = "skip"
)

// TestReport is the outcome of all tests.
type TestReport struct {
	Results  []TestResult `json:"results"` // sorted by file and line
	Passed   int          `json:"passed"`
	Failed   int          `json:"failed"` // those with an error included
	Skipped  int          `json:"skipped"`
	Coverage *Coverage    `json:"coverage,omitempty"`
}

// Coverage is how much of the policies the tests evaluate.
type Coverage struct {
	Percent float64        `json:"percent"`
	Files   []FileCoverage `json:"files"` // sorted by file; without the tests
}

// FileCoverage is the coverage of one file.
type FileCoverage struct {
	File       string  `json:"file"`
	Percent    float64 `json:"percent"`
	Covered    int     `json:"covered_lines"`
	NotCovered int     `json:"not_covered_lines"`
	// Missing lists the lines that no test evaluates: "7", "12-14".
	Missing []string `json:"missing,omitempty"`
}

// Test runs the operator's own tests under the rules of the engine: hermetic,
// with the narrowed comparisons, and with failing built-ins as errors. The
// findings, if any, are why nothing was run.
func Test(ctx context.Context, o policy.Options, t TestOptions) (*TestReport, []*Finding, error) {
	if _, err := regexp.Compile(t.Run); err != nil {
		return nil, nil, fmt.Errorf("the tests to run: %w", err)
	}
	s, err := load(o)
	if err != nil {
		return nil, nil, err
	}
	findings := append(s.Check(), s.ParseTests()...)
	if len(findings) > 0 {
		return nil, modules.Tidy(findings), nil
	}
	all := append(s.Own(), s.Tests...)
	coverage := cover.New()
	store := inmem.NewFromObjectWithOpts(s.Document(), inmem.OptReturnASTValuesOnRead(true))
	newRunner := func(compiler *ast.Compiler) *tester.Runner {
		return tester.NewRunner().
			SetCompiler(compiler).
			SetStore(store).
			CapturePrintOutput(true).
			RaiseBuiltinErrors(true).
			SetTimeout(cmp.Or(t.Timeout, policy.DefaultTimeout)).
			SetModules(modules.Copies(all))
	}
	newCompiler := func() *ast.Compiler {
		return ast.NewCompiler().WithCapabilities(builtins.Capabilities()).WithEnablePrintStatements(true)
	}
	runner := newRunner(newCompiler()).Filter(t.Run)
	if t.Coverage {
		runner = runner.SetCoverageQueryTracer(coverage)
	}
	results, err := runner.RunTests(ctx, nil)
	if err != nil {
		var problems ast.Errors
		if errors.As(err, &problems) {
			return nil, modules.Tidy(modules.CompileProblems(all, problems)), nil
		}
		return nil, nil, err
	}
	report := collect(results)
	if t.Coverage {
		report.Coverage = covered(coverage, s.Own())
	}
	compiler := newCompiler()
	return report, nil, explainFailures(ctx, newRunner(compiler), &evaluator{compiler, store, cmp.Or(t.Timeout, policy.DefaultTimeout)}, report)
}

// collect waits for all tests, which come in any order.
func collect(results chan *tester.Result) *TestReport {
	r := &TestReport{Results: []TestResult{}}
	for result := range results {
		r.Results = append(r.Results, resultsOf(result)...)
	}
	slices.SortFunc(r.Results, func(a, b TestResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	for _, t := range r.Results {
		switch t.Outcome {
		case TestPassed:
			r.Passed++
		case TestSkipped:
			r.Skipped++
		default:
			r.Failed++
		}
	}
	return r
}

func resultsOf(result *tester.Result) []TestResult {
	whole := TestResult{
		Package:  strings.TrimPrefix(result.Package, "data."),
		Name:     result.Name,
		Duration: result.Duration,
		Output:   string(result.Output),
		Outcome:  TestPassed,
	}
	if result.Location != nil {
		whole.File, whole.Line = result.Location.File, result.Location.Row
	}
	switch {
	case result.Error != nil:
		whole.Outcome, whole.Error = TestError, result.Error.Error()
		if topdown.IsCancel(result.Error) {
			whole.Error = "the test takes too long, and was stopped"
		}
	case result.Skip:
		whole.Outcome = TestSkipped
	case result.Fail:
		whole.Outcome = TestFailed
	}
	cases := casesOf(whole, result.SubResults)
	if len(cases) == 0 || whole.Outcome == TestError {
		return []TestResult{whole}
	}
	return cases
}

// casesOf are the cases of a test that has several.
func casesOf(whole TestResult, results tester.SubResultMap) []TestResult {
	var out []TestResult
	for path, sub := range results.Iter {
		if len(sub.SubResults) > 0 {
			continue
		}
		c := whole
		c.Name += "/" + strings.Join(path, "/")
		c.Outcome = TestPassed
		if sub.Fail {
			c.Outcome = TestFailed
		}
		if len(out) > 0 {
			c.Output, c.Duration = "", 0 // said and counted once
		}
		out = append(out, c)
	}
	return out
}

// covered sums up which lines of the modules were evaluated.
func covered(c *cover.Cover, own []modules.Module) *Coverage {
	report := c.Report(modules.Copies(own))
	out := &Coverage{Files: []FileCoverage{}}
	lines, all := 0, 0
	for _, m := range own {
		f := report.Files[m.File]
		if f == nil {
			continue
		}
		file := FileCoverage{File: m.File, Percent: math.Round(10*f.Coverage) / 10, Covered: f.CoveredLines, NotCovered: f.NotCoveredLines}
		for _, r := range f.NotCovered {
			lines := fmt.Sprint(r.Start.Row)
			if r.End.Row > r.Start.Row {
				lines += fmt.Sprintf("-%d", r.End.Row)
			}
			file.Missing = append(file.Missing, lines)
		}
		file.Missing = slices.Compact(file.Missing)
		out.Files = append(out.Files, file)
		lines, all = lines+file.Covered, all+file.Covered+file.NotCovered
	}
	if all > 0 {
		out.Percent = math.Round(1000*float64(lines)/float64(all)) / 10
	}
	return out
}
