package scanner

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Narrowing is a part of a scope: what matches all of its lists that are not empty.
type Narrowing struct {
	Regions []registry.Region `json:"regions,omitempty"`
	// Namespaces are globs over the name of a namespace.
	Namespaces []string `json:"namespaces,omitempty"`
	// Images are globs over the name of an image, without its namespace. With any,
	// namespaces themselves are out of scope, since only a part of their images is seen.
	Images []string `json:"images,omitempty"`
}

// Words are the flags that say the same: "--region fr-par", "--image api".
func (n Narrowing) Words() []string {
	var words []string
	for _, region := range n.Regions {
		words = append(words, "--region "+string(region))
	}
	for _, glob := range n.Namespaces {
		words = append(words, "--namespace "+glob)
	}
	for _, glob := range n.Images {
		words = append(words, "--image "+glob)
	}
	return words
}

// IsZero reports whether it is everything.
func (n Narrowing) IsZero() bool {
	return len(n.Regions) == 0 && len(n.Namespaces) == 0 && len(n.Images) == 0
}

func (n Narrowing) normal() Narrowing {
	return Narrowing{Regions: sortedSet(n.Regions), Namespaces: sortedSet(n.Namespaces), Images: sortedSet(n.Images)}
}

func (n Narrowing) equal(other Narrowing) bool {
	return strings.Join(n.normal().Words(), "\x00") == strings.Join(other.normal().Words(), "\x00")
}

// holds reports whether an image is in the part; with the name "", the namespace
// itself.
func (n Narrowing) holds(namespace, image string) bool {
	return n.mayHoldImages(namespace) && (len(n.Images) == 0 || image != "" && matchesAny(n.Images, image))
}

func (n Narrowing) mayHoldImages(namespace string) bool {
	return len(n.Namespaces) == 0 || matchesAny(n.Namespaces, namespace)
}

// left are the regions in scope that are left out. Their contents do not matter, but
// credentials that they refuse are certain nowhere.
func (s Scope) left() []registry.Region {
	all := s
	all.Only = Narrowing{}
	return slices.DeleteFunc(all.regions(), func(r registry.Region) bool { return slices.Contains(s.regions(), r) })
}
