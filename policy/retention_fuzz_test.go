package policy

import (
	"regexp"
	"testing"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// A tag as OCI distribution has it.
var tagName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

var longNumber = regexp.MustCompile(`[0-9]{18}`)

// Which tags are versions, and which of two comes first, is as in the reference.
func FuzzVersions(f *testing.F) {
	for _, pair := range [][2]string{
		{"1.2.3", "v1.2.3"}, {"1.10.0", "1.9.3"}, {"1.0.0-rc.1", "1.0.0"}, {"1.0.0-rc.10", "1.0.0-rc.2"}, {"1.0.0-1", "1.0.0-a"},
		{"1.0.0_a", "1.0.0_b"}, {"1.0.0-a.b", "1.0.0-a"}, {"01.2.3", "1.2"}, {"20261122", "vv1.0.0"}, {"1.0.0-01", "1.0.0-0a"}, {"1.0.0-a_b_c", "1.0.0_a.-"}, {"1.2.3.4", "v01.2.3.5-0"},
	} {
		f.Add(pair[0], pair[1])
	}
	anyVersion, err := rules.NewVersionPattern("(.*)")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !tagName.MatchString(a) || !tagName.MatchString(b) || longNumber.MatchString(a+" "+b) {
			return
		}
		x, y, p, q := anyVersion.Find(a), anyVersion.Find(b), refVersion(a), refVersion(b)
		if (x == nil) != (p == nil) || (y == nil) != (q == nil) {
			t.Fatalf("%q and %q: %v and %v, the reference says %v and %v", a, b, x, y, p, q)
		}
		if x == nil || y == nil {
			return
		}
		if (rules.ParseVersion(a) == nil) != p.four {
			t.Errorf("%q is a version without a pattern: %v", a, !p.four)
		}
		got := x.Compare(y)
		if got != -y.Compare(x) {
			t.Errorf("%q and %q compare differently the other way round", a, b)
		}
		if (got < 0) != refPrecedes(p, q) || (got > 0) != refPrecedes(q, p) {
			t.Errorf("%q and %q compare as %d, unlike the reference", a, b, got)
		}
	})
}
