package propose

import (
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A warning of config check about a name that really has a slash is explained.
func TestASlashInAnAllowedNameIsExplained(t *testing.T) {
	for name, want := range map[string]bool{"cache/kit": true, "kit": false} {
		s := New(takenAt)
		prod := &registry.Namespace{Region: "fr-par", Name: "prod"}
		s.Add(&registry.Image{Namespace: prod, Name: name, Visibility: registry.Public})
		s.Add(&registry.Image{Namespace: prod, Name: "other", Visibility: registry.Private})
		text := s.Write(Options{})
		if !strings.Contains(text, `images: ["`+name+`"]`) {
			t.Errorf("%s is not allowed:\n%s", name, text)
		}
		if strings.Contains(text, "a slash in their own name") != want {
			t.Errorf("%s: the slash is explained: %v\n%s", name, !want, text)
		}
	}
}
