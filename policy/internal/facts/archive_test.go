package facts

import "testing"

func TestInWhichRepositoryTheArchiveIs(t *testing.T) {
	for to, want := range map[string]string{
		"/var/lib/archive":                          "",
		"oci://rg.fr-par.scw.cloud/archive":         "rg.fr-par.scw.cloud/archive/registry-janitor",
		"oci://rg.fr-par.scw.cloud/archive/janitor": "rg.fr-par.scw.cloud/archive/janitor",
	} {
		if got := (archive{To: to}).repository(); got != want {
			t.Errorf("%s: %q", to, got)
		}
	}
}
