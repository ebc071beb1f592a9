package machine

import "testing"

func TestAnnotationsAreEscaped(t *testing.T) {
	for _, row := range []struct{ title, source, message, want string }{
		{"a:b,c::d", "own,1.rego:7", "50 %\n::error::x", "::error file=own%2C1.rego,line=7,title=a%3Ab%2Cc%3A%3Ad::50 %25%0A::error::x\n"},
		{"a", "", "b\r", "::error title=a::b%0D\n"},
		{"a", "own.rego:0", "b", "::error title=a::b\n"},
	} {
		if got := annotation("error", row.title, row.source, row.message); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}
