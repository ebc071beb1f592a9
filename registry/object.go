package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Region is a Scaleway region that has a Container Registry, such as "fr-par".
type Region string

// Regions lists the regions that have a Container Registry, in the order in
// which the official SDK names them. (it-mil runs containers, but has no
// registry.)
func Regions() []Region { return []Region{"fr-par", "nl-ams", "pl-waw"} }

// Status is the lifecycle state of a namespace, an image or a tag. Values that this
// version does not know stay unchanged, and are never ready.
type Status string

const (
	// StatusReady is the only status in which an object is judged.
	StatusReady Status = "ready"
	// StatusDeleting means that the object is being deleted.
	StatusDeleting Status = "deleting"
)

// OrMissing is the status as a word, also where the API sent none.
func (s Status) OrMissing() string {
	if s == "" {
		return "missing"
	}
	return string(s)
}

// Visibility is who may pull an image.
type Visibility string

// The visibilities. A namespace is private or public; an image may also inherit
// from its namespace.
const (
	Inherit Visibility = "inherit"
	Private Visibility = "private"
	Public  Visibility = "public"
)

// Namespace is a registry namespace as the API lists it. The JSON of objects is that
// of inventories.
type Namespace struct {
	Region         Region    `json:"region"`
	Name           string    `json:"name"` // unique in a region across all organizations
	ID             string    `json:"id"`
	ProjectID      string    `json:"project_id"`
	OrganizationID string    `json:"organization_id"`
	Description    string    `json:"description"`
	Status         Status    `json:"status"`
	IsPublic       bool      `json:"is_public"`
	SizeBytes      uint64    `json:"size_bytes"`  // the sum of its images
	ImageCount     uint64    `json:"image_count"` // as the API counts them, whatever the scope
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Ref is the reference of the namespace.
func (n *Namespace) Ref() Ref { return Ref{Region: n.Region, Namespace: n.Name} }

// Visibility is Public or Private.
func (n *Namespace) Visibility() Visibility {
	if n.IsPublic {
		return Public
	}
	return Private
}

// Image is an image (the API's word for a repository) with every one of its
// tags: the unit of scanning, judging and planning.
type Image struct {
	Namespace   *Namespace `json:"-"`            // never nil in a scanned image
	NamespaceID string     `json:"namespace_id"` // as listed; the ID of Namespace in a scanned image
	Name        string     `json:"name"`         // may hold slashes
	ID          string     `json:"id"`
	Status      Status     `json:"status"`
	Visibility  Visibility `json:"visibility"`
	SizeBytes   uint64     `json:"size_bytes"` // a layer that two of its tags use counts once
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	TagNames    []string   `json:"tag_names"` // as listed inline with the image; may be truncated
	Tags        []Tag      `json:"tags"`      // newest first, see CompareAge; complete, or the image is a Gap
	// Contents has, by digest, the contents that were read. The others are unknown.
	Contents map[string]*Content `json:"contents,omitempty"`
	// Unread is, by digest, why a content that was asked for is not in Contents: asking
	// again does not help.
	Unread map[string]string `json:"-"`
}

// Missing returns which of some digests are neither in Contents nor in Unread, each once,
// in their order: those that may be read.
func (i *Image) Missing(digests []string) []string {
	var missing []string
	seen := map[string]bool{}
	for _, digest := range digests {
		if i.Contents[digest] == nil && i.Unread[digest] == "" && !seen[digest] {
			seen[digest] = true
			missing = append(missing, digest)
		}
	}
	return missing
}

// Ref is the reference of the image.
func (i *Image) Ref() Ref {
	return Ref{Region: i.Namespace.Region, Namespace: i.Namespace.Name, Image: i.Name}
}

// TagRef is the reference of one tag of the image.
func (i *Image) TagRef(tag string) Ref {
	r := i.Ref()
	r.Tag = tag
	return r
}

// EffectiveVisibility resolves Inherit through the namespace.
func (i *Image) EffectiveVisibility() Visibility {
	if i.Visibility == Inherit {
		return i.Namespace.Visibility()
	}
	return i.Visibility
}

// Tag is one tag of an image. A moved tag keeps its ID and CreatedAt; its
// Digest and UpdatedAt change, so age and order come from Changed.
type Tag struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	Digest    string    `json:"digest"` // "sha256:<hex>"
	Status    Status    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// KnownDigest is the digest if it has the form algorithm:hex in lower case, and "" if
// it does not: then it is not known which tags share it.
func (t *Tag) KnownDigest() string {
	algorithm, hex, _ := strings.Cut(t.Digest, ":")
	for _, c := range []byte(algorithm) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '.' && c != '_' && c != '-' {
			return ""
		}
	}
	for i := range len(hex) {
		if !isHex[hex[i]] {
			return ""
		}
	}
	if algorithm == "" || hex == "" {
		return ""
	}
	return t.Digest
}

// isHex are the digits of a digest.
var isHex = func() (digits [256]bool) {
	for _, c := range []byte("0123456789abcdef") {
		digits[c] = true
	}
	return digits
}()

// Find is the position of a tag by its name; -1 if the image does not have it.
func (i *Image) Find(name string) int {
	return slices.IndexFunc(i.Tags, func(t Tag) bool { return t.Name == name })
}

// CompareAge puts the tags of an image in their order: newest first by Changed, ties
// by name.
func CompareAge(a, b Tag) int {
	return cmp.Or(b.Changed().Compare(a.Changed()), cmp.Compare(a.Name, b.Name))
}

// Changed is when the tag was last changed, from which its age and order come: the
// later of UpdatedAt and CreatedAt. An update before the creation cannot be true, and
// nothing may be taken for older than it is.
func (t *Tag) Changed() time.Time { return later(t.UpdatedAt, t.CreatedAt) }

// Changed is when the image was last changed, by the same rule as for a tag.
func (i *Image) Changed() time.Time { return later(i.UpdatedAt, i.CreatedAt) }

// Changed is when the namespace was last changed, by the same rule as for a tag.
func (n *Namespace) Changed() time.Time { return later(n.UpdatedAt, n.CreatedAt) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
