package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// IndexTag is the tag of the index in a repository.
const IndexTag = "registry-janitor-index"

// Repository is a Store in a repository of a registry. Manifests lie in it by digest;
// the index, which lists them, keeps the registry from collecting them.
type Repository struct {
	unlocked

	name name.Repository
	pull *remote.Puller
	push *remote.Pusher
}

// NewRepository is the store in a repository. It sends no request.
func NewRepository(repository name.Repository, pull *remote.Puller, push *remote.Pusher) *Repository {
	return &Repository{name: repository, pull: pull, push: push}
}

// Name is the name of the repository.
func (s *Repository) Name() name.Repository { return s.name }

// Has asks for the digest: a registry hashes what is pushed.
func (s *Repository) Has(ctx context.Context, b Blob) (bool, error) {
	err := s.head(ctx, b)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *Repository) head(ctx context.Context, b Blob) error {
	if b.Manifest {
		_, err := s.pull.Head(ctx, s.digest(b))
		return translateRegistry(err, b)
	}
	l, err := s.pull.Layer(ctx, s.digest(b))
	if err != nil {
		return translateRegistry(err, b)
	}
	size, err := l.Size()
	if err == nil && size != b.Size {
		return fmt.Errorf("%s has %d bytes, not %d: it %w", b.Digest, size, b.Size, ErrDamaged)
	}
	return translateRegistry(err, b)
}

// Put pushes the blob, or has the registry take it from the repository that has it.
func (s *Repository) Put(ctx context.Context, b Blob, open func() (io.ReadCloser, error)) error {
	if b.Manifest {
		if err := s.putManifest(ctx, b, open); err != nil {
			return err
		}
		return s.head(ctx, b)
	}
	content := &Layer{Blob: b, Open: open}
	var l v1.Layer = content
	if from, err := name.NewRepository(b.From); err == nil && from.RegistryStr() == s.name.RegistryStr() && from.RepositoryStr() != s.name.RepositoryStr() {
		l = &remote.MountableLayer{Layer: l, Reference: from.Digest(b.Digest.String())}
	}
	if err := s.push.Upload(ctx, s.name, l); err != nil {
		if cause := content.Err(); cause != nil { // of what the library reports
			err = cause
		}
		return translateRegistry(err, b)
	}
	return s.head(ctx, b)
}

func (s *Repository) putManifest(ctx context.Context, b Blob, open func() (io.ReadCloser, error)) error {
	from, err := open()
	if err != nil {
		return err
	}
	defer from.Close()
	raw, err := io.ReadAll(Verify(from, b))
	if err != nil {
		return err
	}
	return translateRegistry(s.push.Put(ctx, s.digest(b), Document{raw, b.MediaType}), b)
}

// Open reads a blob or a manifest.
func (s *Repository) Open(ctx context.Context, b Blob) (io.ReadCloser, error) {
	if b.Manifest {
		m, err := s.pull.Get(ctx, s.digest(b))
		if err != nil {
			return nil, translateRegistry(err, b)
		}
		return io.NopCloser(bytes.NewReader(m.Manifest)), nil
	}
	l, err := s.pull.Layer(ctx, s.digest(b))
	if err != nil {
		return nil, translateRegistry(err, b)
	}
	content, err := l.Compressed()
	return content, translateRegistry(err, b)
}

// Index reads the index by its tag. Its version is its digest.
func (s *Repository) Index(ctx context.Context) (index []byte, version string, err error) {
	m, err := s.pull.Get(ctx, s.name.Tag(IndexTag))
	switch err = translateRegistry(err, Blob{}); {
	case errors.Is(err, ErrNotFound):
		return nil, "", nil
	case err != nil:
		return nil, "", err
	}
	return m.Manifest, m.Digest.String(), nil
}

// SetIndex pushes the index. A registry cannot compare and replace at once, so it compares
// before it pushes.
func (s *Repository) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if _, now, err := s.Index(ctx); err != nil || now != version {
		return "", cmp.Or(err, ErrChanged)
	}
	if err := s.push.Put(ctx, s.name.Tag(IndexTag), Document{index, types.OCIImageIndex}); err != nil {
		return "", translateRegistry(err, Blob{})
	}
	return "sha256:" + versionOf(index), nil
}

// Stored is not known: a registry does not list what it has.
func (s *Repository) Stored(context.Context) ([]Stored, error) { return nil, nil }

// Remove removes a manifest. Blobs, and manifests where it does not let clients remove
// them, are left to the garbage collection of the registry.
func (s *Repository) Remove(ctx context.Context, b Blob) (bool, error) {
	if !b.Manifest {
		return false, nil
	}
	err := s.push.Delete(ctx, s.digest(b))
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests {
		return false, nil
	}
	return err == nil, translateRegistry(err, b)
}

func (s *Repository) digest(b Blob) name.Digest { return s.name.Digest(b.Digest.String()) }

// translateRegistry marks what is not there, and what does not pass.
func translateRegistry(err error, b Blob) error {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return err
	}
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return fmt.Errorf("%s is %w", b.Digest, ErrNotFound)
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
