package outline

import (
	"testing"

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
