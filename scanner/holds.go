package scanner

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Holds says whether what the reference names is in scope, as far as its name
// tells. A tag is where its image is.
func (s Scope) Holds(ref registry.Ref) bool {
	if !slices.Contains(s.regions(), ref.Region) {
		return false
	}
	if ref.Image == "" {
		return s.globs().namespace(ref.Namespace)
	}
	return s.globs().image(ref.Namespace, ref.Image)
}
