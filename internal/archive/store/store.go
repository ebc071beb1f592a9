// Package store keeps blobs by their digests, and one index: in a directory or a
// bucket, as an OCI image layout, or in a repository of a registry. Its nouns are the
// Store, the Blob and the index.
//
// It must never report a blob as stored before its copy was verified, hold a layer in
// memory, or make a name of anything but a digest.
package store

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The errors of stores. Test for them with errors.Is.
var (
	// ErrNotFound: the blob is not in the store.
	ErrNotFound = errors.New("not in the archive")
	// ErrChanged: another process wrote the index meanwhile.
	ErrChanged = errors.New("the index of the archive was changed by another process")
	// ErrRefused: trying again does not help: a full disk, a missing right.
	ErrRefused = errors.New("refused")
	// ErrFrozen: the blob is in a storage class that must be thawed first. The thaw was
	// requested.
	ErrFrozen = errors.New("being thawed")
	// ErrBusy: another process copies into the store, or purges it.
	ErrBusy = errors.New("another process uses the archive: run the same command again when it has ended")
	// ErrDamaged: what is stored, or was copied, does not have its digest.
	ErrDamaged = errors.New("does not have its digest")
)

// Blob is a manifest, a config or a layer.
type Blob struct {
	Digest    v1.Hash
	Size      int64 // in bytes
	MediaType types.MediaType
	Manifest  bool // or an index of manifests
	// From is the repository, "host/name", that has the blob already; "" if none is known.
	From string
}

// Stored is a blob that is in a store.
type Stored struct {
	Digest v1.Hash
	Size   int64
	At     time.Time // when it was stored
}

// errNoIndex: only a store that had an index has its marker.
var errNoIndex = Refuse(errors.New("it is marked as an image layout, but has no index.json, which lists its records: put back a copy of the file, or name another place; if no run has ever archived a tag there, remove oci-layout"))

// Refuse makes an error an ErrRefused, in its own words.
func Refuse(err error) error { return refusal{err} }

type refusal struct{ error }

func (r refusal) Is(target error) bool { return target == ErrRefused }

func (r refusal) Unwrap() error { return r.error }

// Store keeps blobs. It is safe for concurrent use.
type Store interface {
	// Enter waits while another process purges, and keeps purges away until leave is called.
	Enter(ctx context.Context) (leave func(), err error)
	// EnterAlone keeps others away until leave is called, or fails with ErrBusy. Only a
	// directory can do either.
	EnterAlone(ctx context.Context) (leave func(), err error)
	// Has reports whether a good copy of the blob is there: it was hashed, or the
	// store vouches for its digest.
	Has(ctx context.Context, b Blob) (bool, error)
	// Put copies what open reads, and returns once the copy is verified. It is durable, at
	// the latest, once the next index is.
	Put(ctx context.Context, b Blob, open func() (io.ReadCloser, error)) error
	// Open reads a blob, which the caller must hash.
	Open(ctx context.Context, b Blob) (io.ReadCloser, error)
	// Index reads the index and its version; both are empty if there never was one.
	Index(ctx context.Context) (index []byte, version string, err error)
	// SetIndex replaces the index if it still has that version, and returns the new one, or
	// ErrChanged. A registry cannot do both at once.
	SetIndex(ctx context.Context, index []byte, version string) (now string, err error)
	// Stored lists the blobs; a registry cannot, and lists none.
	Stored(ctx context.Context) ([]Stored, error)
	// Remove removes a blob, and reports whether it did. One that is not there, or that the
	// store removes by itself, is not an error.
	Remove(ctx context.Context, b Blob) (removed bool, err error)
}

// layoutFile marks an OCI image layout.
const layoutFile = "oci-layout"

// layout is its content.
func layout() []byte { return []byte(`{"imageLayoutVersion":"1.0.0"}`) }

// emptyIndex is an index without records.
func emptyIndex() []byte {
	return []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
}

// marking gives a store its marker, if it has none.
type marking struct {
	mu   sync.Mutex
	done bool
}

func (m *marking) once(ctx context.Context, has func(context.Context) (bool, error), set func(context.Context) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done {
		return nil
	}
	there, err := has(ctx)
	if err == nil && !there {
		err = set(ctx)
	}
	m.done = err == nil
	return err
}

// isRefusal reports whether a server answers so again, however often it is asked.
func isRefusal(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}
