package store

import (
	"errors"
	"io"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Document is a manifest or an index as the library pushes it, byte for byte.
type Document struct {
	Raw  []byte
	Type types.MediaType
}

// RawManifest is the document.
func (d Document) RawManifest() ([]byte, error) { return d.Raw, nil }

// MediaType is that of the document.
func (d Document) MediaType() (types.MediaType, error) { return d.Type, nil }

// Layer is a blob as the library pushes it: verified while it is read.
type Layer struct {
	Blob Blob
	// Open reads the blob. The registry may have it already, or take it from elsewhere.
	Open func() (io.ReadCloser, error)

	content atomic.Pointer[noting] // of the last time; nil if it was not needed
}

// IsOpened reports whether the content was needed.
func (l *Layer) IsOpened() bool { return l.content.Load() != nil }

// Err is why the content could not be read the last time, of which the library reports
// what followed from it; nil if it could.
func (l *Layer) Err() error {
	if content := l.content.Load(); content != nil {
		return content.err()
	}
	return nil
}

// Digest is the digest of the blob.
func (l *Layer) Digest() (v1.Hash, error) { return l.Blob.Digest, nil }

// Size is the size of the blob.
func (l *Layer) Size() (int64, error) { return l.Blob.Size, nil }

// MediaType is one that is always pushed: the archive has no layers that are stored elsewhere.
func (l *Layer) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }

// Compressed reads the blob as it is.
func (l *Layer) Compressed() (io.ReadCloser, error) {
	content := new(noting)
	l.content.Store(content)
	from, err := l.Open()
	if err != nil {
		content.failed.Store(&err)
		return nil, err
	}
	content.Reader, content.Closer = Verify(from, l.Blob), from
	return content, nil
}

// DiffID is not known, and not needed to push.
func (l *Layer) DiffID() (v1.Hash, error) { return v1.Hash{}, errNotNeeded }

// Uncompressed is not needed to push.
func (l *Layer) Uncompressed() (io.ReadCloser, error) { return nil, errNotNeeded }

var errNotNeeded = errors.New("the content is pushed as it is")

// noting notes the error of a read: a connection may still read when sending has failed.
type noting struct {
	io.Reader
	io.Closer
	failed atomic.Pointer[error]
}

func (n *noting) err() error {
	if err := n.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (n *noting) Read(p []byte) (int, error) {
	count, err := n.Reader.Read(p)
	if err != nil && err != io.EOF {
		n.failed.Store(&err)
	}
	return count, err
}
