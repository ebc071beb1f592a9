package archive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/registry"
)

// readable is a store that can be read and not written any more: it is full, or mounted so.
type readable struct {
	store.Store
	only bool
}

func (s *readable) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if s.only {
		return "", store.ErrRefused
	}
	return s.Store.SetIndex(ctx, index, version)
}

func TestATagComesBackIfTheArchiveCannotBeWritten(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	p.push(other, image(1))
	s := &readable{Store: store.NewFolder(t.TempDir())}
	a := archive.New("archive", s)
	copied(t, a, p, api)
	s.only = true
	if _, err := archive.NewCopier(a, p.connect, options()).Copy(t.Context(), step(other, p.digest(other))); !errors.Is(err, store.ErrRefused) {
		t.Errorf("archived: %v", err)
	}
	p.wipe()
	for _, was := range []string{"", digest} {
		done, err := restore(t.Context(), a, restorer(a, p), api)
		if err != nil || len(done) != 1 || done[0].Unmarked == nil && was == "" || done[0].Before != was || p.digest(api) != digest {
			t.Errorf("%+v, %v", done, err)
		}
	}
}

// What a run deleted stays its deletion when a restoration moves the tag there and back.
func TestMovingATagBackKeepsItsDeletion(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	before := must(a.Records(t.Context()))[0]
	moved := step(api, digest)
	moved.Reasons = []registry.Reason{{Rule: archive.RuleOverwritten}}
	o := options()
	o.Run, o.Now = "", func() time.Time { return now.Add(time.Hour) }
	c := archive.NewCopier(a, p.connect, o)
	_, err := c.Copy(t.Context(), moved)
	check(t, errors.Join(err, c.Close(t.Context())))
	after := must(a.Records(t.Context()))
	if len(after) != 1 || after[0].Run != before.Run || after[0].Rule != before.Rule || !after[0].DeletedAt.Equal(before.DeletedAt) || !after[0].Until.Equal(before.Until.Add(time.Hour)) {
		t.Errorf("%+v, was %+v", after, before)
	}
}
