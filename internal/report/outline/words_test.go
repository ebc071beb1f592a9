package outline

import (
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestPlaceOfARule(t *testing.T) {
	for _, row := range []struct{ source, severity, want string }{
		{"", "", ""},
		{"own.rego:7", "", " (own.rego:7)"},
		{"own.rego:7", "high", " (own.rego:7, severity high)"},
		{"", "high", " (severity high)"},
	} {
		if got := Place(registry.Reason{Source: row.source, CustomSeverity: row.severity}); got != row.want {
			t.Errorf("%q %q: got %q, want %q", row.source, row.severity, got, row.want)
		}
	}
}

func TestArchivedCountsCopiesUntilTheFirstExpires(t *testing.T) {
	until := time.Date(2026, 12, 22, 0, 0, 0, 0, time.UTC)
	copied := func(days int) *actions.Archived {
		return &actions.Archived{To: "/archive", Until: until.AddDate(0, 0, days)}
	}
	for want, results := range map[string][]actions.StepResult{
		"": {{Result: actions.ResultDone}},
		"2 tags archived in /archive until 2026-12-22": {{Archived: copied(1)}, {Result: actions.ResultFailed}, {Archived: copied(0)}},
	} {
		if got := Archived(&actions.Outcome{Results: results}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
