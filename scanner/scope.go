package scanner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Scope is the part of a registry to scan. The zero value is everything.
type Scope struct {
	Regions        []registry.Region `json:"regions,omitempty"`         // none: all that have a registry
	ProjectIDs     []string          `json:"project_ids,omitempty"`     // none: all
	OrganizationID string            `json:"organization_id,omitempty"` // "": all
	// Include and Exclude are globs over namespace/image. The path of a namespace is
	// its name alone; prod/** matches it as well as its images. Without Include
	// everything is included; Exclude beats it.
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	// Only narrows all of that to a part for one run.
	Only Narrowing `json:"only,omitzero"`
}

// Validate returns what is wrong with a scope.
func (s Scope) Validate() error {
	for _, region := range slices.Concat(s.Regions, s.Only.Regions) {
		if !slices.Contains(registry.Regions(), region) {
			return fmt.Errorf("scope: region %q has no registry: want one of %v", region, registry.Regions())
		}
	}
	if slices.Contains(s.ProjectIDs, "") {
		return errors.New("scope: a project ID is empty")
	}
	for _, pattern := range slices.Concat(s.Include, s.Exclude, s.Only.Namespaces, s.Only.Images) {
		if pattern == "" || !doublestar.ValidatePattern(pattern) {
			return fmt.Errorf("scope: %q is not a valid glob", pattern)
		}
	}
	return nil
}

// Holds reports whether a namespace or an image is in scope, as far as its name
// tells. A tag is where its image is.
func (s Scope) Holds(ref registry.Ref) bool {
	switch {
	case !slices.Contains(s.regions(), ref.Region):
		return false
	case ref.Image == "":
		return s.holdsNamespace(ref.Namespace)
	}
	return s.holdsImage(ref.Namespace, ref.Image)
}

// Equal reports whether two scopes are the same, whatever the order of their lists.
func (s Scope) Equal(other Scope) bool {
	a, b := s.normal(), other.normal()
	return slices.Equal(a.Regions, b.Regions) && slices.Equal(a.ProjectIDs, b.ProjectIDs) &&
		a.OrganizationID == b.OrganizationID &&
		slices.Equal(a.Include, b.Include) && slices.Equal(a.Exclude, b.Exclude) && s.Only.equal(other.Only)
}

// normal is the canonical form of a scope, in which equal scopes are equal.
func (s Scope) normal() Scope {
	n := Scope{
		Regions:        s.regions(),
		ProjectIDs:     sortedSet(s.ProjectIDs),
		OrganizationID: s.OrganizationID,
		Include:        sortedSet(s.Include),
		Exclude:        sortedSet(s.Exclude),
		Only:           s.Only.normal(),
	}
	if len(n.Include) == 0 || slices.Contains(n.Include, "**") {
		n.Include = []string{"**"}
	}
	return n
}

// regions are the regions to walk, each once.
func (s Scope) regions() []registry.Region {
	regions := s.Regions
	if len(regions) == 0 {
		regions = registry.Regions()
	}
	return slices.DeleteFunc(sortedSet(regions), func(r registry.Region) bool {
		return len(s.Only.Regions) > 0 && !slices.Contains(s.Only.Regions, r)
	})
}

func sortedSet[T ~string](list []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// owned reports whether an owner is in scope.
func (s Scope) owned(projectID, organizationID string) bool {
	return (len(s.ProjectIDs) == 0 || slices.ContainsFunc(s.ProjectIDs, func(id string) bool { return sameID(id, projectID) })) &&
		(s.OrganizationID == "" || sameID(s.OrganizationID, organizationID))
}

// sameID compares two UUIDs, whose hexadecimal digits may be of either case.
func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// holdsNamespace and holdsImage report whether the globs of a valid scope hold a
// namespace itself, and an image.
func (s Scope) holdsNamespace(name string) bool { return s.holdsPath(name) && s.Only.holds(name, "") }

func (s Scope) holdsImage(namespace, image string) bool {
	return s.holdsPath(namespace+"/"+image) && s.Only.holds(namespace, image)
}

func (s Scope) holdsPath(path string) bool {
	return (len(s.Include) == 0 || matchesAny(s.Include, path)) && !matchesAny(s.Exclude, path)
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, path) })
}

// mayHoldImages reports whether an image of the namespace can be in scope at all. It
// may be true without one, which costs a listing, but never false with one.
func (s Scope) mayHoldImages(namespace string) bool {
	if !s.Only.mayHoldImages(namespace) {
		return false
	}
	for _, pattern := range s.Exclude {
		first, rest, plain := cutPattern(pattern)
		if pattern == "**" || plain && rest == "**" && doublestar.MatchUnvalidated(first, namespace) {
			return false
		}
	}
	return len(s.Include) == 0 || slices.ContainsFunc(s.Include, func(pattern string) bool {
		first, rest, plain := cutPattern(pattern)
		return !plain || rest != "" && doublestar.MatchUnvalidated(first, namespace)
	})
}

// TakesWholeNamespaces reports whether every namespace is in scope with all of its
// images, or with none.
func (s Scope) TakesWholeNamespaces() bool {
	return len(s.Only.Images) == 0 && !slices.ContainsFunc(slices.Concat(s.Include, s.Exclude), func(pattern string) bool {
		_, rest, plain := cutPattern(pattern)
		return pattern != "**" && (!plain || rest != "**")
	})
}

// cutPattern splits a pattern after its first segment. It is not plain if the slash
// may be part of an alternative, a class or an escape, or if the segment may match
// more than one.
func cutPattern(pattern string) (first, rest string, plain bool) {
	first, rest, _ = strings.Cut(pattern, "/")
	return first, rest, !strings.ContainsAny(pattern, `{[\`) && !strings.Contains(first, "**")
}

// Literal returns a glob that matches the name alone.
func Literal(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune(`*?[]{}\!,`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
