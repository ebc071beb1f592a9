package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/registry"
)

// What many tags share travels once, even if they are copied at the same time.
func TestWhatIsSharedTravelsOnce(t *testing.T) {
	p := newPlane(t)
	base := must(random.Image(20_000, 4))
	digests := map[string]string{}
	for i := range 500 { // four of five layers are shared
		ref := fmt.Sprintf("rg.fr-par.scw.cloud/prod/api:pr-%d", i)
		digests[ref] = p.push(ref, must(mutate.AppendLayers(base, must(random.Layer(20_000, "application/vnd.oci.image.layer.v1.tar+gzip")))))
	}
	p.forget()
	a, folder := newFolder(t)
	o := options()
	o.Traffic = new(archive.Traffic)
	c := archive.NewCopier(a, p.connect, o)
	var group errgroup.Group
	group.SetLimit(64)
	for ref, digest := range digests {
		group.Go(func() error {
			_, err := c.Copy(t.Context(), step(ref, digest))
			return err
		})
	}
	check(t, group.Wait())
	var distinct int64
	for _, path := range must(filepath.Glob(filepath.Join(folder, "blobs", "sha256", "*"))) {
		distinct += must(os.Stat(path)).Size()
	}
	moved, blobs := o.Traffic.Bytes.Load(), p.count("GET /v2/prod/api/blobs/")
	t.Logf("%d bytes moved, %d are distinct: %.4f; %d blobs were read", moved, distinct, float64(moved)/float64(distinct), blobs)
	if moved > distinct*102/100 || blobs != 4+2*500 {
		t.Error("more than what is distinct was moved")
	}
	if records := must(a.Records(t.Context())); len(records) != 500 {
		t.Errorf("%d records", len(records))
	}
}

func TestATagThatVanishesHalfwayIsNotArchived(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(5))
	left := 2
	p.refuse = func(r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			left--
		}
		return left < 0
	}
	a, _ := newFolder(t)
	archived, err := archive.NewCopier(a, p.connect, options()).Copy(t.Context(), step(api, digest))
	if err == nil || archived != nil || len(must(a.Records(t.Context()))) != 0 {
		t.Errorf("%v, %v", archived, err)
	}
}

// freezer is a store whose layers must be thawed.
type freezer struct {
	store.Store

	mu     sync.Mutex
	asked  map[string]bool
	ready  map[string]bool // what was put as a manifest
	thawed bool
}

func newFreezer(t *testing.T) *freezer {
	return &freezer{Store: store.NewFolder(t.TempDir()), asked: map[string]bool{}, ready: map[string]bool{}}
}

func (f *freezer) Put(ctx context.Context, b store.Blob, open func() (io.ReadCloser, error)) error {
	f.mu.Lock()
	f.ready[b.Digest.String()] = b.Manifest
	f.mu.Unlock()
	return f.Store.Put(ctx, b, open)
}

func (f *freezer) Open(ctx context.Context, b store.Blob) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ready[b.Digest.String()] || f.thawed {
		return f.Store.Open(ctx, b)
	}
	f.asked[b.Digest.String()] = true
	return nil, fmt.Errorf("it is %w: run the same command again in 12 hours", store.ErrFrozen)
}

// All blobs are thawed at the same time, with those of attachments, and nothing is pushed
// under a tag before that.
func TestWhatIsFrozenIsThawedAtOnce(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, index()) // of five blobs and two parts
	signature := signed(digest)
	p.push(signature, image(1))
	f := newFreezer(t)
	a := archive.New("s3://bucket", f)
	copied(t, a, p, api, signature)
	p.wipe()
	if _, err := restore(t.Context(), a, restorer(a, p), api); !errors.Is(err, store.ErrFrozen) || !strings.Contains(err.Error(), "run the same command again") {
		t.Error(err)
	}
	if len(f.asked) != 7 || p.digest(api) != "" || p.digest(signature) != "" {
		t.Errorf("%d blobs are being thawed, and the tag is %q", len(f.asked), p.digest(api))
	}
	f.thawed = true
	if done, err := restore(t.Context(), a, restorer(a, p), api); err != nil || p.digest(api) != digest || len(done) != 2 {
		t.Errorf("%q: %v", p.digest(api), err)
	}
}

// Layers that an index lists as parts are thawed at once too, whatever their media type is.
func TestPartsOfAnUnknownKindAreThawedAtOnce(t *testing.T) {
	p := newPlane(t)
	to := must(p.connect(must(registry.ParseRef(api))))
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for range 3 {
		l := must(random.Layer(100, "application/vnd.example.thing"))
		check(t, to.Pusher.Upload(t.Context(), to.Repository, l))
		index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: must(l.MediaType()), Digest: must(l.Digest()), Size: must(l.Size())})
	}
	digest := p.push(api, store.Document{Raw: must(json.Marshal(index)), Type: types.OCIImageIndex})
	f := newFreezer(t)
	a := archive.New("s3://bucket", f)
	copied(t, a, p, api)
	p.wipe()
	if _, err := restore(t.Context(), a, restorer(a, p), api); !errors.Is(err, store.ErrFrozen) || len(f.asked) != 3 || p.digest(api) != "" {
		t.Errorf("%d blobs are being thawed, and the tag is %q: %v", len(f.asked), p.digest(api), err)
	}
	f.thawed = true
	if _, err := restore(t.Context(), a, restorer(a, p), api); err != nil || p.digest(api) != digest {
		t.Errorf("%q: %v", p.digest(api), err)
	}
}

// What a tag has is kept only when it is about to be moved.
func TestNothingIsOverwrittenWhileAThawLasts(t *testing.T) {
	p := newPlane(t)
	digest := p.push(api, image(1))
	f := newFreezer(t)
	a := archive.New("s3://bucket", f)
	copied(t, a, p, api)
	p.wipe()
	p.push(api, image(2))
	asked := 0
	r := archive.NewRestorer(a, p.connect, archive.RestorerOptions{
		Overwriting: func(context.Context, registry.Ref, string) error { asked++; return nil }, Now: func() time.Time { return now },
	})
	if _, err := restore(t.Context(), a, r, api); !errors.Is(err, store.ErrFrozen) || asked != 0 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	f.thawed = true
	if _, err := restore(t.Context(), a, r, api); err != nil || asked != 1 || p.digest(api) != digest {
		t.Errorf("asked %d times, and it is %s: %v", asked, p.digest(api), err)
	}
}
