package registry

import "time"

// ContentKind is what a digest of the registry is.
type ContentKind string

// The kinds of content.
const (
	ContentImage      ContentKind = "image"      // one that a container runtime can run
	ContentIndex      ContentKind = "index"      // a list of others, such as one for each platform
	ContentAttachment ContentKind = "attachment" // such as a signature: it has a subject, or says what it is
	ContentArtifact   ContentKind = "artifact"   // anything else
)

// Content is what the registry has under a digest. It never changes.
type Content struct {
	Kind      ContentKind `json:"kind"`
	MediaType string      `json:"media_type"`
	// Platforms are "os/architecture" or "os/architecture/variant", sorted; those of an
	// index are those of its parts.
	Platforms   []string          `json:"platforms,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"` // of an index: what all its images have with the same value
	Annotations map[string]string `json:"annotations,omitempty"`
	// BuiltAt is when the image was built; zero if that is not known.
	BuiltAt time.Time `json:"built_at,omitzero"`
	// SizeBytes is the compressed size of all blobs, each counted once.
	SizeBytes uint64 `json:"size_bytes"`
	Blobs     []Blob `json:"blobs,omitempty"` // configs and layers; of an index: those of its parts
	// Parts are the digests of the children of an index, attestations included.
	Parts   []string `json:"parts,omitempty"`
	Subject string   `json:"subject,omitempty"` // the digest that an attachment is about
	// PartLabels are the labels of each image of an index.
	PartLabels []map[string]string `json:"part_labels,omitempty"`
}

// Blob is a config or a layer.
type Blob struct {
	Digest string `json:"digest"`
	Size   uint64 `json:"size"`
}
