package archive

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
)

// layerOf is a blob of the archive as the library pushes it.
type layerOf struct {
	ctx     context.Context
	archive *Archive
	blob    store.Blob

	opened atomic.Bool           // its content was needed
	failed atomic.Pointer[error] // of reading it; the connection may still read when a push has failed
}

// err is why the content could not be read; nil if it could.
func (l *layerOf) err() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// mountable names the repository of the archive where the registry can take the blob
// from there.
func (l *layerOf) mountable(to name.Repository) v1.Layer {
	from, ok := l.archive.store.(*store.Repository)
	if !ok || from.Name().Registry != to.Registry {
		return l
	}
	return &remote.MountableLayer{Layer: l, Reference: from.Name().Digest(l.blob.Digest.String())}
}

// Digest is that of the blob.
func (l *layerOf) Digest() (v1.Hash, error) { return l.blob.Digest, nil }

// Size is that of the blob.
func (l *layerOf) Size() (int64, error) { return l.blob.Size, nil }

// MediaType is one that is always pushed: what lies elsewhere is not in the archive.
func (l *layerOf) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }

// Compressed reads the blob as it is stored, verified.
func (l *layerOf) Compressed() (io.ReadCloser, error) {
	l.opened.Store(true)
	from, err := l.archive.store.Open(l.ctx, l.blob)
	if err != nil {
		l.failed.Store(&err)
		return nil, err
	}
	l.failed.Store(nil)
	return &noting{store.Verify(from, l.blob), from, &l.failed}, nil
}

// DiffID is not known, and not needed to push.
func (l *layerOf) DiffID() (v1.Hash, error) { return v1.Hash{}, errNotNeeded }

// Uncompressed is not needed to push.
func (l *layerOf) Uncompressed() (io.ReadCloser, error) { return nil, errNotNeeded }

var errNotNeeded = errors.New("the content is pushed as it is")

// noting notes the error of a read.
type noting struct {
	io.Reader
	io.Closer
	failed *atomic.Pointer[error]
}

func (n *noting) Read(p []byte) (int, error) {
	count, err := n.Reader.Read(p)
	if err != nil && err != io.EOF {
		n.failed.Store(&err)
	}
	return count, err
}
