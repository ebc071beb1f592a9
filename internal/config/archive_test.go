package config

import "testing"

func TestANamespaceAsArchiveGetsAnImage(t *testing.T) {
	for to, want := range map[string]string{
		"oci://rg.fr-par.scw.cloud/archive":         "rg.fr-par.scw.cloud/archive/registry-janitor",
		"oci://rg.fr-par.scw.cloud/archive/janitor": "rg.fr-par.scw.cloud/archive/janitor",
		"oci://registry-nl-ams.example.com/archive": "registry-nl-ams.example.com/archive/registry-janitor",
		"oci://ghcr.example.com/archive":            "ghcr.example.com/archive",
		"/var/lib/archive":                          "",
	} {
		c := &Config{Archive: &Archive{To: to}}
		c.Scaleway.RegistryURL = "https://registry-{region}.example.com/"
		got, err := c.ArchiveTarget()
		if err != nil || got.Repository != want {
			t.Errorf("%s: %q, %v", to, got.Repository, err)
		}
	}
}
