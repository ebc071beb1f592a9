package registry

import (
	"strings"
	"testing"
)

func TestParseRef(t *testing.T) {
	for text, want := range map[string]Ref{
		"rg.fr-par.scw.cloud":                   {Region: "fr-par"},
		"rg.fr-par.scw.cloud/prod":              {Region: "fr-par", Namespace: "prod"},
		"rg.nl-ams.scw.cloud/prod/api":          {Region: "nl-ams", Namespace: "prod", Image: "api"},
		"rg.pl-waw.scw.cloud/prod/team/api:1.2": {Region: "pl-waw", Namespace: "prod", Image: "team/api", Tag: "1.2"},
	} {
		got, err := ParseRef(text)
		if want.Namespace == "" {
			if err == nil {
				t.Errorf("%s is a region, not an object: got %+v", text, got)
			}
			if want.String() != text {
				t.Errorf("got %s, want %s", want, text)
			}
			continue
		}
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

func TestParseRefRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":              "",
		"no host":              "prod/api:v1",
		"another host":         "docker.io/library/nginx:1",
		"a host that is alike": "rg.fr-par.scw.cloud.example/prod",
		"no region":            "rg..scw.cloud/prod",
		"a digest":             "rg.fr-par.scw.cloud/prod/api@sha256:" + strings.Repeat("a", 64),
		"an empty tag":         "rg.fr-par.scw.cloud/prod/api:",
		"an empty image":       "rg.fr-par.scw.cloud/prod/:v1",
		"an empty namespace":   "rg.fr-par.scw.cloud//api",
		"a tag of a namespace": "rg.fr-par.scw.cloud/prod:v1",
	} {
		if ref, err := ParseRef(text); err == nil {
			t.Errorf("%s: %q is taken as %+v", name, text, ref)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add("rg.fr-par.scw.cloud/prod/team/api:v1")
	f.Add("rg.fr-par.scw.cloud/prod")
	f.Add("rg.x.scw.cloud/a/:b")
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := ParseRef(text)
		if err != nil {
			return
		}
		again, err := ParseRef(ref.String())
		if err != nil || again != ref {
			t.Errorf("%q is %+v, which is written %q, which is %+v, %v", text, ref, ref, again, err)
		}
	})
}

func TestEffectiveVisibility(t *testing.T) {
	for _, row := range []struct {
		image  Visibility
		public bool
		want   Visibility
	}{
		{Inherit, true, Public}, {Inherit, false, Private}, {Private, true, Private}, {Public, false, Public},
		{"visibility_unknown", true, "visibility_unknown"},
	} {
		img := Image{Visibility: row.image, Namespace: &Namespace{IsPublic: row.public}}
		if got := img.EffectiveVisibility(); got != row.want {
			t.Errorf("%s in a namespace that is public: %v: got %s", row.image, row.public, got)
		}
	}
}
