package author

import (
	"testing"

	"github.com/registry-janitor/registry-janitor/policy"
)

func TestTheTestingLibraryPassesItsOwnTests(t *testing.T) {
	report, findings, err := Test(t.Context(), policy.Options{Paths: []string{"../testing"}}, TestOptions{})
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	for _, r := range report.Results {
		if r.Outcome != TestPassed {
			t.Errorf("%s:%d: %s %s", r.File, r.Line, r.Outcome, r.Name+" "+r.Error)
		}
	}
	if len(report.Results) < 20 {
		t.Errorf("only %d tests ran", len(report.Results))
	}
}

// The library is part of no policy set, and a copy of it among the policies, for
// OPA's own tools, does no harm.
func TestACopyOfTheTestingLibraryDoesNoHarm(t *testing.T) {
	o := files(t, map[string]string{
		"testing.rego":  string(TestingLibrary()),
		"own.rego":      titled + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}",
		"own_test.rego": "package janitor.image.own_test\n\nimport data.janitor.image.own\nimport data.janitor.testing\n\ntest_it if own.delete == {\"a\"} with input as testing.image([testing.tag(\"a\", \"15d\"), testing.tag(\"b\", \"14d\")])",
	})
	if findings, err := Check(o); err != nil || len(findings) > 0 {
		t.Error(findings, err)
	}
	if _, err := policy.New(t.Context(), o); err != nil {
		t.Error(err)
	}
	report, findings, err := Test(t.Context(), o, TestOptions{Coverage: true})
	if err != nil || len(findings) > 0 || report.Passed != 1 || report.Failed != 0 {
		t.Fatal(report, findings, err)
	}
	if len(report.Coverage.Files) != 1 || report.Coverage.Percent != 100 {
		t.Errorf("coverage is %+v", report.Coverage)
	}
}
