package archive_test

import (
	"context"
	"errors"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
)

// fullStore is a store that takes no larger index any more.
type fullStore struct {
	store.Store
	full bool
}

func (s *fullStore) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if before, _, _ := s.Index(ctx); s.full && len(index) > len(before) {
		return "", store.ErrFull
	}
	return s.Store.SetIndex(ctx, index, version)
}

func TestATagComesBackIfTheIndexIsFull(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	p.push(other, image(1))
	s := &fullStore{Store: store.NewFolder(t.TempDir())}
	a := archive.New("archive", s)
	copied(t, a, p, api)
	s.full = true
	if _, err := archive.NewCopier(a, p.connect, options()).Copy(t.Context(), step(other, p.digest(other))); !errors.Is(err, store.ErrFull) {
		t.Errorf("archived: %v", err)
	}
	p.wipe()
	done, err := restore(t.Context(), a, restorer(a, p), api)
	if err != nil || len(done) != 1 || !done[0].Unmarked || p.digest(api) != digest {
		t.Errorf("%+v, %v", done, err)
	}
}
