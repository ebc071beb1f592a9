package outline

import "testing"

func TestPlaceOfARule(t *testing.T) {
	for _, row := range []struct{ source, severity, want string }{
		{"", "", ""},
		{"own.rego:7", "", " (own.rego:7)"},
		{"own.rego:7", "high", " (own.rego:7, severity high)"},
		{"", "high", " (severity high)"},
	} {
		if got := Place(row.source, row.severity); got != row.want {
			t.Errorf("%q %q: got %q, want %q", row.source, row.severity, got, row.want)
		}
	}
}
