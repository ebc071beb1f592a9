package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive/target"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The tags of the index, and of what marks a repository that has one, as oci-layout does
// elsewhere.
const (
	indexTag  = registry.ArchiveIndexTag
	layoutTag = registry.ArchiveLayoutTag
)

// marker is what has layoutTag: no other manifest has its digest, so that none is deleted
// with it.
func marker() Document {
	return Document{[]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"io.registry-janitor.layout":"1.0.0"}}`), types.OCIImageIndex}
}

// errNoIndexTag is errNoIndex in a repository.
var errNoIndexTag = Refuse(fmt.Errorf("it has the tag %s, but not %s, whose index lists its records: give that index its tag again, or name another place; if no run has ever archived a tag there, remove the tag %[1]s", layoutTag, indexTag))

// Repository is a Store in a repository of a registry. Manifests lie in it by digest;
// the index, which lists them, keeps the registry from collecting them.
type Repository struct {
	unlocked

	name name.Repository
	pull *remote.Puller
	push *remote.Pusher

	marking

	listing sync.Mutex
	foreign map[v1.Hash]bool // manifests that tags of other clients need; nil: not known
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
		return s.translate(err, b)
	}
	l, err := s.pull.Layer(ctx, s.digest(b))
	if err != nil {
		return s.translate(err, b)
	}
	size, err := l.Size()
	if err == nil && size != b.Size {
		return fmt.Errorf("%s has %d bytes, not %d: it %w", b.Digest, size, b.Size, ErrDamaged)
	}
	return s.translate(err, b)
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
		return s.translate(err, b)
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
	return s.translate(s.push.Put(ctx, s.digest(b), Document{raw, b.MediaType}), b)
}

// Open reads a blob or a manifest.
func (s *Repository) Open(ctx context.Context, b Blob) (io.ReadCloser, error) {
	if b.Manifest {
		m, err := s.pull.Get(ctx, s.digest(b))
		if err != nil {
			return nil, s.translate(err, b)
		}
		return io.NopCloser(bytes.NewReader(m.Manifest)), nil
	}
	l, err := s.pull.Layer(ctx, s.digest(b))
	if err != nil {
		return nil, s.translate(err, b)
	}
	content, err := l.Compressed()
	return content, s.translate(err, b)
}

// Index reads the index by its tag. Its version is its digest.
func (s *Repository) Index(ctx context.Context) (index []byte, version string, err error) {
	m, err := s.pull.Get(ctx, s.name.Tag(indexTag))
	switch err = s.translate(err, Blob{}); {
	case errors.Is(err, ErrNotFound):
		had, err := s.hasMark(ctx)
		if had {
			err = errNoIndexTag
		}
		return nil, "", err
	case err != nil:
		return nil, "", err
	}
	return m.Manifest, m.Digest.String(), nil
}

// maxIndex is how many bytes every registry takes as a manifest.
const maxIndex = 4 << 20

// SetIndex pushes the index. A registry cannot compare and replace at once, so it compares
// before it pushes.
func (s *Repository) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	before, now, err := s.Index(ctx)
	switch {
	case err != nil || now != version:
		return "", cmp.Or(err, ErrChanged)
	case len(index) > maxIndex && len(index) > len(before): // or a purge makes it smaller
		return "", fmt.Errorf("%w: the index of the archive is full: registries take manifests of at most 4 MiB: run archive purge, shorten archive.keep, or archive in a bucket or a directory", ErrRefused)
	}
	if err := s.push.Put(ctx, s.name.Tag(indexTag), Document{index, types.OCIImageIndex}); err != nil {
		return "", s.translate(err, Blob{})
	}
	return "sha256:" + versionOf(index), s.mark(ctx)
}

// mark gives the repository its marker, once it has an index: a marker without an index
// shows that the index was lost.
func (s *Repository) mark(ctx context.Context) error {
	return s.once(ctx, s.hasMark, func(ctx context.Context) error {
		return s.translate(s.push.Put(ctx, s.name.Tag(layoutTag), marker()), Blob{})
	})
}

func (s *Repository) hasMark(ctx context.Context) (bool, error) {
	_, err := s.pull.Head(ctx, s.name.Tag(layoutTag))
	if err = s.translate(err, Blob{}); errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Stored is not known: a registry does not list what it has.
func (s *Repository) Stored(context.Context) ([]Stored, error) { return nil, nil }

// Remove removes a manifest, unless another client needs it for a tag of its own.
// Blobs, and manifests where it does not let clients remove them, are left to the garbage
// collection of the registry.
func (s *Repository) Remove(ctx context.Context, b Blob) (bool, error) {
	if !b.Manifest {
		return false, nil
	}
	if kept, err := s.isTagged(ctx, b); err != nil || kept {
		return false, err
	}
	err := s.push.Delete(ctx, s.digest(b))
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests {
		return false, nil
	}
	return err == nil, s.translate(err, b)
}

// isTagged reports whether a tag of another client needs a manifest, or may: where the registry
// refuses to list the tags, no manifest is removed. It lists them once.
func (s *Repository) isTagged(ctx context.Context, b Blob) (bool, error) {
	s.listing.Lock()
	defer s.listing.Unlock()
	if s.foreign != nil {
		return s.foreign[b.Digest], nil
	}
	tags, err := s.pull.List(ctx, s.name)
	switch err = s.translate(err, b); {
	case errors.Is(err, ErrRefused), errors.Is(err, ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	}
	foreign := map[v1.Hash]bool{}
	for _, tag := range tags {
		if tag == indexTag || tag == layoutTag {
			continue
		}
		if err := s.needs(ctx, s.name.Tag(tag), foreign); err != nil {
			return false, err
		}
	}
	s.foreign = foreign
	return foreign[b.Digest], nil
}

// needs adds the digests of a manifest and of its parts.
func (s *Repository) needs(ctx context.Context, ref name.Reference, all map[v1.Hash]bool) error {
	m, err := s.pull.Get(ctx, ref)
	switch err = s.translate(err, Blob{}); {
	case errors.Is(err, ErrNotFound): // it was removed meanwhile
		return nil
	case err != nil:
		return err
	case all[m.Digest]:
		return nil
	}
	all[m.Digest] = true
	var index v1.IndexManifest
	if err := json.Unmarshal(m.Manifest, &index); err != nil {
		return fmt.Errorf("%s cannot be read: %w", m.Digest, err)
	}
	for _, part := range index.Manifests {
		if err := s.needs(ctx, s.name.Digest(part.Digest.String()), all); err != nil {
			return err
		}
	}
	return nil
}

func (s *Repository) digest(b Blob) name.Digest { return s.name.Digest(b.Digest.String()) }

// translate marks what is not there, and what does not pass, and says what to do.
func (s *Repository) translate(err error, b Blob) error {
	host := s.name.RegistryStr()
	var answer *transport.Error
	switch {
	case errors.Is(err, http.ErrSchemeMismatch) && s.name.Scheme() == "https": // else both are tried
		return fmt.Errorf("%w: %s answers without TLS, which is used only with localhost:PORT, 127.0.0.1 and private IPv4 addresses: put TLS before it", ErrRefused, host)
	case !errors.As(err, &answer):
		return err
	case s.isMissing(answer):
		return fmt.Errorf("%s is %w", b.Digest, ErrNotFound)
	case !isRefusal(answer.StatusCode):
		return err
	}
	if remedy := s.remedyOf(answer); remedy != "" {
		return fmt.Errorf("%w: %s: %s", ErrRefused, said(answer), remedy)
	}
	return fmt.Errorf("%w: %s", ErrRefused, said(answer))
}

// unknown are the codes with which registries say that something is not there. The last is
// that of Harbor, the others are those of
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
var unknown = []transport.ErrorCode{transport.BlobUnknownErrorCode, transport.ManifestUnknownErrorCode, transport.NameUnknownErrorCode, "NOT_FOUND"}

// isMissing reports whether the registry itself says that what it was asked for is not
// there: a token server or a proxy that answers so knows nothing of the repository.
func (s *Repository) isMissing(answer *transport.Error) bool {
	if answer.StatusCode != http.StatusNotFound || answer.Request == nil {
		return false
	}
	isUnknown := func(d transport.Diagnostic) bool { return slices.Contains(unknown, d.Code) }
	switch answer.Request.Method {
	case http.MethodHead: // never sent to a token server, and the answer has no code
		return true
	case http.MethodGet:
		return s.isAsked(answer.Request) && slices.ContainsFunc(answer.Errors, isUnknown)
	}
	return false
}

// isAsked reports whether a request is one to the repository.
func (s *Repository) isAsked(r *http.Request) bool {
	return r.URL.Host == s.name.RegistryStr() && strings.HasPrefix(r.URL.Path, "/v2/"+s.name.RepositoryStr()+"/")
}

// remedyOf is what to do about a refusal; "" if that is not known.
func (s *Repository) remedyOf(answer *transport.Error) string {
	login := fmt.Sprintf("check the login: run docker login %s, or set DOCKER_CONFIG to the folder of its config.json", s.name.RegistryStr())
	if target.IsProvider(s.name.Name()) {
		login = "check the Scaleway API key, and that it has the permission set ContainerRegistryFullAccess"
	}
	r := answer.Request
	switch {
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return login
	case answer.StatusCode != http.StatusNotFound || r == nil || r.Response != nil: // it was redirected
		return ""
	case s.isAsked(r) && len(answer.Errors) > 0:
		return "create what is missing, or correct archive.to"
	case s.isAsked(r) || r.URL.Path == "/v2/":
		return "no registry answers so: correct the host in archive.to"
	}
	return login // a token server
}

// said is an answer in one line, without its details.
func said(answer *transport.Error) string {
	what := fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	if r := answer.Request; r != nil {
		what = fmt.Sprintf("%s %s://%s%s answers %s", r.Method, r.URL.Scheme, r.URL.Host, r.URL.Path, what)
	}
	for _, d := range answer.Errors {
		what += fmt.Sprintf(": %s: %s", d.Code, d.Message)
	}
	return what
}
