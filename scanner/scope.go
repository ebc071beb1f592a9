package scanner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Scope is the part of a registry to look at. The zero value is everything.
type Scope struct {
	Regions        []registry.Region // none: all that have a registry
	ProjectIDs     []string          // none: all
	OrganizationID string            // "": all
	// Include and Exclude are globs over namespace/image. The path of a namespace
	// is its name alone, which prod/** matches as well as what is in it. Without
	// Include everything is included; Exclude beats it.
	Include []string
	Exclude []string
}

// Validate says what is wrong with a scope.
func (s Scope) Validate() error {
	for _, region := range s.Regions {
		if !slices.Contains(registry.Regions(), region) {
			return fmt.Errorf("scope: there is no registry in region %q: want one of %v", region, registry.Regions())
		}
	}
	if slices.Contains(s.ProjectIDs, "") {
		return errors.New("scope: a project ID is empty")
	}
	for _, pattern := range slices.Concat(s.Include, s.Exclude) {
		if pattern == "" || !doublestar.ValidatePattern(pattern) {
			return fmt.Errorf("scope: %q is no valid glob", pattern)
		}
	}
	return nil
}

// normal is the canonical form of a scope, in which equal scopes are equal.
func (s Scope) normal() Scope {
	n := Scope{
		Regions:        sortedSet(s.regions()),
		ProjectIDs:     sortedSet(s.ProjectIDs),
		OrganizationID: s.OrganizationID,
		Include:        sortedSet(s.Include),
		Exclude:        sortedSet(s.Exclude),
	}
	if len(n.Include) == 0 || slices.Contains(n.Include, "**") {
		n.Include = []string{"**"}
	}
	return n
}

// equal says whether two scopes are the same, whatever the order of their lists.
func (s Scope) equal(other Scope) bool {
	a, b := s.normal(), other.normal()
	return slices.Equal(a.Regions, b.Regions) && slices.Equal(a.ProjectIDs, b.ProjectIDs) &&
		a.OrganizationID == b.OrganizationID &&
		slices.Equal(a.Include, b.Include) && slices.Equal(a.Exclude, b.Exclude)
}

// regions are the regions to walk, each once.
func (s Scope) regions() []registry.Region {
	if len(s.Regions) == 0 {
		return registry.Regions()
	}
	return sortedSet(s.Regions)
}

// owned says whether an owner is in scope.
func (s Scope) owned(projectID, organizationID string) bool {
	return (len(s.ProjectIDs) == 0 || slices.ContainsFunc(s.ProjectIDs, func(id string) bool { return sameID(id, projectID) })) &&
		(s.OrganizationID == "" || sameID(s.OrganizationID, organizationID))
}

// sameID compares two UUIDs, whose hexadecimal digits may be of either case.
func sameID(a, b string) bool { return strings.EqualFold(a, b) }

func (s Scope) globs() globs { return globs{include: s.Include, exclude: s.Exclude} }

func sortedSet[T ~string](list []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// globs are the patterns of a valid scope.
type globs struct{ include, exclude []string }

// namespace says whether a namespace itself is in scope.
func (g globs) namespace(name string) bool { return g.path(name) }

// image says whether an image is in scope.
func (g globs) image(namespace, image string) bool { return g.path(namespace + "/" + image) }

func (g globs) path(path string) bool {
	return (len(g.include) == 0 || matchesAny(g.include, path)) && !matchesAny(g.exclude, path)
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, path) })
}

// mayHold says whether an image of the namespace can be in scope at all. It may
// say so of one that has none, which costs a listing, but never the reverse.
func (g globs) mayHold(namespace string) bool {
	for _, pattern := range g.exclude {
		first, rest, plain := cutPattern(pattern)
		if pattern == "**" || plain && rest == "**" && doublestar.MatchUnvalidated(first, namespace) {
			return false
		}
	}
	return len(g.include) == 0 || slices.ContainsFunc(g.include, func(pattern string) bool {
		first, rest, plain := cutPattern(pattern)
		return !plain || rest != "" && doublestar.MatchUnvalidated(first, namespace)
	})
}

// cutPattern splits a pattern after its first segment. It is not plain when the
// slash might be part of an alternative, a class or an escape, or when the
// segment might match more than one.
func cutPattern(pattern string) (first, rest string, plain bool) {
	first, rest, _ = strings.Cut(pattern, "/")
	return first, rest, !strings.ContainsAny(pattern, `{[\`) && !strings.Contains(first, "**")
}
