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
	zone := time.FixedZone("CET", 3600)
	copied := func(days int) *actions.Archived {
		return &actions.Archived{To: "/archive", Until: until.AddDate(0, 0, days)}
	}
	results := []actions.StepResult{
		{Ref: "stays", Result: actions.ResultBlocked, Archived: copied(1)}, {Ref: "b", Result: actions.ResultDone, Archived: copied(1)},
		{Ref: "f", Result: actions.ResultFailed}, {Ref: "a", Result: actions.ResultGone, Archived: copied(0)},
	}
	for name, row := range map[string]struct {
		by           time.Time
		results      []actions.StepResult
		want, sample string
	}{
		"nothing was copied":             {time.Time{}, results[2:3], "", ""},
		"at the time of the run":         {time.Time{}, results, "3 tags archived in /archive until 2026-12-22 01:00:00 CET", "b"},
		"before any expires":             {until.Add(-1), results, "3 tags archived in /archive until 2026-12-22 01:00:00 CET", "b"},
		"after one has expired":          {until, results, "2 tags archived in /archive until 2026-12-23 01:00:00 CET", "b"},
		"after the first has expired":    {until, results[3:], "", ""},
		"after all of them have expired": {until.AddDate(0, 0, 1), results, "", ""},
	} {
		o := &actions.Outcome{Results: row.results}
		if got := Archived(o, row.by, zone); got != row.want || FirstCopy(o, row.by).Ref != row.sample {
			t.Errorf("%s: %q and %q, want %q and %q", name, got, FirstCopy(o, row.by).Ref, row.want, row.sample)
		}
	}
}
