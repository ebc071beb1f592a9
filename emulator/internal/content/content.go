package content

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"time"
)

// Digest is a SHA-256 digest.
type Digest [32]byte

func (d Digest) String() string { return string(d.Append(nil)) }

// Append appends the digest as a text: sha256: and 64 hex digits.
func (d Digest) Append(b []byte) []byte {
	return hex.AppendEncode(append(b, "sha256:"...), d[:])
}

// Recipe says what to make. The zero value makes an image of a few kilobytes.
type Recipe struct {
	Seed Digest // recipes that differ in nothing else make contents that share no blob
	// Size is the length of all blobs together, in bytes. There is a smallest one, of
	// about two kilobytes.
	Size int64
	// Name is the name of the tag. The name of an attachment makes one; others may name the
	// platform of an image, which otherwise is linux/amd64.
	Name string
	// Platforms make an index with an image for each.
	Platforms []string
	// Parts make an index of what others make.
	Parts []*Recipe
	// Labels are those of the image, or of all images of an index. Annotations are those
	// of the manifest that the recipe is for.
	Labels, Annotations map[string]string
	// Built is when the images were built; zero leaves it out.
	Built time.Time

	image string // the platform of an image; "" means the platform in the name
}

// Content is a manifest and what it names.
type Content struct {
	Digest    Digest
	MediaType string
	Manifest  []byte
	Platform  string     // of an image, such as linux/arm64/v8
	Blobs     []Blob     // config and layers; an index has none
	Parts     []*Content // of an index
}

// Blob is a config or a layer.
type Blob struct {
	Digest Digest
	Size   int64
	zeros  zeros
	own    []byte // what follows the zeros
}

// ReadAt makes the bytes from off on.
func (b Blob) ReadAt(p []byte, off int64) (n int, err error) {
	z := b.Size - int64(len(b.own))
	if off < z {
		n, err = b.zeros.ReadAt(p[:min(int64(len(p)), z-off)], off)
		if n == len(p) || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	m, err := bytes.NewReader(b.own).ReadAt(p[n:], max(0, off+int64(n)-z))
	return n + m, err
}
