package author

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/junit"
	"github.com/registry-janitor/registry-janitor/policy"
)

// tested runs the tests in files.
func tested(t *testing.T, o TestOptions, texts map[string]string) (*TestReport, []*Finding) {
	t.Helper()
	report, findings, err := Test(t.Context(), files(t, texts), o)
	if err != nil {
		t.Fatal(err)
	}
	return report, findings
}

var someTests = map[string]string{
	"own.rego": titled + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}\n\nwarn contains \"never\" if input.region == \"x\"",
	"own_test.rego": `package janitor.image.own_test

import data.janitor.image.own

test_passes if own.delete == {"a"} with input.tags as [{"name": "a", "age_days": 15}]

test_fails if own.delete == {"b"} with input.tags as []

test_breaks if to_number("x") == 1

test_prints if print("hello <&>")

todo_test_later if false

test_cases[name] if {
	some name, age in {"old": 20, "new": 3}
	age > 14
}
`,
}

func TestOutcomesOfTests(t *testing.T) {
	report, findings := tested(t, TestOptions{}, someTests)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var got []string
	for _, r := range report.Results {
		got = append(got, strings.TrimSpace(r.Name+" "+string(r.Outcome)+" "+strings.TrimSpace(r.Output)))
	}
	want := []string{
		"test_passes pass", "test_fails fail", "test_breaks error", "test_prints pass hello <&>",
		"todo_test_later skip", "test_cases/new fail", "test_cases/old pass",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if report.Passed != 3 || report.Failed != 3 || report.Skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped", report.Passed, report.Failed, report.Skipped)
	}
}

func TestRunSelectsTests(t *testing.T) {
	report, _ := tested(t, TestOptions{Run: "own_test.test_p"}, someTests)
	if report.Passed != 2 || report.Failed != 0 {
		t.Errorf("%+v", report)
	}
	if _, _, err := Test(t.Context(), policy.Options{}, TestOptions{Run: "("}); err == nil {
		t.Error("a broken --run is taken")
	}
}

func TestCoverageCountsThePoliciesOnly(t *testing.T) {
	report, _ := tested(t, TestOptions{Coverage: true, Run: "test_passes"}, someTests)
	want := &Coverage{Percent: 75, Files: []FileCoverage{{File: "own.rego", Percent: 75, Covered: 3, NotCovered: 1, Missing: []string{"10"}}}}
	if diff := cmp.Diff(want, report.Coverage); diff != "" {
		t.Error(diff)
	}
}

func TestNothingRunsWhereSomethingDoesNotCompile(t *testing.T) {
	for name, row := range map[string]struct{ file, text, want string }{
		"a policy":           {"x.rego", "package janitor.image.x\n\nwarn contains input.nope", "undefined ref: input.nope"},
		"a test":             {"x_test.rego", "package x_test\n\ntest_x if nope(1)", "undefined function nope"},
		"a test of the time": {"x_test.rego", "package x_test\n\ntest_x if 1 < \"2\"", "lt: invalid argument"},
		"a test to come":     {"x_test.rego", "package x_test\n\ntest_x if {", "parse error"},
	} {
		report, findings := tested(t, TestOptions{}, map[string]string{row.file: row.text})
		if report != nil || len(findings) == 0 || !strings.Contains(findings[0].Error(), row.want) {
			t.Errorf("%s: got %v, %v, want %s", name, report, findings, row.want)
		}
	}
}

func TestATestThatRunsAwayIsStopped(t *testing.T) {
	report, _ := tested(t, TestOptions{Timeout: 50 * time.Millisecond}, map[string]string{
		"x_test.rego": "package x_test\n\ntest_x if {\n\txs := numbers.range(1, 100000)\n\tsome a in xs\n\tsome b in xs\n\ta + b == 0\n}",
	})
	if len(report.Results) != 1 || report.Results[0].Error != "the test takes too long, and was stopped" {
		t.Errorf("%+v", report.Results)
	}
}

// The report is XML that parses, with the counts that CI systems show, whatever
// the tests print.
func TestJUnit(t *testing.T) {
	report, _ := tested(t, TestOptions{}, someTests)
	report.Results[0].Output = "\x1b[31mred\x00\n"
	var out bytes.Buffer
	if err := report.JUnit(&out); err != nil {
		t.Fatal(err)
	}
	var got junit.Suites
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	s := got.Suites[0]
	if got.Tests != 7 || got.Failures != 2 || got.Errors != 1 || got.Skipped != 1 || len(got.Suites) != 1 || s.Tests != 7 || s.Failures != 2 || s.Errors != 1 || s.Skipped != 1 {
		t.Errorf("counts are wrong in\n%s", out.String())
	}
	c := s.Cases[1]
	if c.Name != "test_fails" || c.Class != "janitor.image.own_test" || c.File != "own_test.rego" || c.Line != "7" || c.Failure == nil || c.Failure.Text != "own_test.rego:7" {
		t.Errorf("got %+v", c)
	}
	if s.Cases[0].SystemOut != "[31mred\n" || s.Cases[3].SystemOut != "hello <&>\n" {
		t.Errorf("got %q, %q", s.Cases[0].SystemOut, s.Cases[3].SystemOut)
	}
}
