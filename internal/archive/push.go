package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
)

// push is one tree on its way into a registry.
type push struct {
	archive *Archive
	read    *atomic.Int64 // counts the bytes of blobs; not nil
	to      oci.Connection
	root    store.Blob
	there   bool   // the tag has the digest already
	raw     []byte // the manifest of the root

	digests []string // of all manifests
	mu      sync.Mutex
	frozen  error // the first blob that must be thawed
	blobs   int
	bytes   int64
}

// maxUploads is how many blobs are pushed at once.
const maxUploads = 4

// prepare pushes everything but the root, or has it thawed.
func (p *push) prepare(ctx context.Context) error {
	return walk(ctx, p.root, visitor{
		open: func(ctx context.Context, b store.Blob) ([]byte, error) {
			raw, err := p.archive.manifest(ctx, b)
			if err == nil {
				p.digests = append(p.digests, b.Digest.String())
			}
			if b.Digest == p.root.Digest {
				p.raw = raw
			}
			return raw, err
		},
		opens: p.opens,
		blobs: p.upload,
		leave: func(ctx context.Context, b store.Blob, raw []byte) error {
			if b.Digest == p.root.Digest {
				p.root.MediaType = b.MediaType // which need not be the one that its record has
			}
			if p.there || p.frozen != nil || b.Digest == p.root.Digest {
				return nil //nolint:nilerr // the thaw of the others is what matters, and Restore reports it
			}
			return p.to.Pusher.Put(ctx, p.to.Repository.Digest(b.Digest.String()), store.Document{Raw: raw, Type: b.MediaType})
		},
	})
}

// opens reports whether a part is a manifest. One that must be thawed is not until then.
func (p *push) opens(ctx context.Context, b store.Blob) (bool, error) {
	isOne, err := p.archive.opens(ctx, b)
	if errors.Is(err, store.ErrFrozen) {
		p.frozen, err = err, nil
	}
	return isOne, err
}

// finish gives a tag the tree, and verifies that the registry shows it.
func (p *push) finish(ctx context.Context, tag name.Tag) error {
	if err := p.to.Pusher.Put(ctx, tag, store.Document{Raw: p.raw, Type: p.root.MediaType}); err != nil {
		return err
	}
	now, err := digestOf(ctx, p.to, tag)
	if want := p.root.Digest.String(); err == nil && now != want {
		err = fmt.Errorf("it was pushed as %s, and the registry shows %q", want, now)
	}
	return err
}

// upload pushes the blobs of a manifest that the registry does not have.
func (p *push) upload(ctx context.Context, all []store.Blob) error {
	if p.there {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxUploads)
	for _, b := range all {
		group.Go(func() error {
			l := &store.Layer{Blob: b, Open: func() (io.ReadCloser, error) { return p.open(ctx, b) }}
			err := p.to.Pusher.Upload(ctx, p.to.Repository, p.mountable(l))
			p.mu.Lock()
			defer p.mu.Unlock()
			if cause := l.Err(); cause != nil { // of what the connection reports
				err = cause
			}
			switch {
			case errors.Is(err, store.ErrFrozen):
				p.frozen, err = err, nil // the others are thawed at the same time
			case err != nil:
				err = fmt.Errorf("pushing %s: %w", b.Digest, err)
			case l.IsOpened():
				p.blobs++
				p.bytes += b.Size
			}
			return err
		})
	}
	return group.Wait()
}

// open reads a blob from the archive.
func (p *push) open(ctx context.Context, b store.Blob) (io.ReadCloser, error) {
	from, err := p.archive.store.Open(ctx, b)
	if err != nil {
		return nil, err
	}
	return &metered{from, ctx, nil, p.read, func() {}}, nil
}

// mountable names the repository of the archive where the registry can take a blob from
// there.
func (p *push) mountable(l *store.Layer) v1.Layer {
	from, ok := p.archive.store.(*store.Repository)
	if !ok || from.Name().RegistryStr() != p.to.Repository.RegistryStr() {
		return l
	}
	return &remote.MountableLayer{Layer: l, Reference: from.Name().Digest(l.Blob.Digest.String())}
}
