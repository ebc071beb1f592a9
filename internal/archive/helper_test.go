package archive_test

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

// plane is a registry in memory that notes its requests.
type plane struct {
	t    testing.TB
	host string

	mu       sync.Mutex
	requests []string // "GET /v2/…", without pings
	latency  time.Duration
	refuse   func(*http.Request) bool
}

func newPlane(t testing.TB) *plane {
	t.Helper()
	p := &plane{t: t}
	handler := memory.New(memory.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		refuse := p.refuse != nil && p.refuse(r)
		if r.URL.Path != "/v2/" {
			p.requests = append(p.requests, r.Method+" "+r.URL.Path)
		}
		latency := p.latency
		p.mu.Unlock()
		if latency > 0 {
			time.Sleep(latency)
		}
		if refuse {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.host = strings.TrimPrefix(server.URL, "http://")
	return p
}

// count is the number of requests that begin so, and with none it forgets all.
func (p *plane) count(beginning string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.requests {
		if strings.HasPrefix(r, beginning) {
			n++
		}
	}
	return n
}

func (p *plane) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

func (p *plane) connect(image registry.Ref) (oci.Connection, error) {
	repository, err := name.NewRepository(p.host+"/"+image.Namespace+"/"+image.Image, name.Insecure)
	if err != nil {
		return oci.Connection{}, err
	}
	pull, failed := remote.NewPuller(remote.WithJobs(32))
	push, err := remote.NewPusher()
	return oci.Connection{Repository: repository, Puller: pull, Pusher: push}, errors.Join(failed, err)
}

// push gives a tag an image or an index, and returns its digest.
func (p *plane) push(ref string, what remote.Taggable) string {
	p.t.Helper()
	r := must(registry.ParseRef(ref))
	to := must(p.connect(r))
	check(p.t, to.Pusher.Push(p.t.Context(), to.Repository.Tag(r.Tag), what))
	return p.digest(ref)
}

// digest is that of a tag; "" if there is none.
func (p *plane) digest(ref string) string {
	p.t.Helper()
	r := must(registry.ParseRef(ref))
	at := must(p.connect(r))
	head, err := at.Puller.Head(p.t.Context(), at.Repository.Tag(r.Tag))
	if err != nil {
		return ""
	}
	return head.Digest.String()
}

// wipe is a registry with nothing in it, at which the references lie from now on.
func (p *plane) wipe() {
	p.host = newPlane(p.t).host
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// now is the time of every copy.
var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func options() archive.CopierOptions {
	return archive.CopierOptions{
		Run: "42", Who: "ana@host", Keep: 30 * 24 * time.Hour,
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
}

func step(ref, digest string) *actions.Step {
	r := must(registry.ParseRef(ref))
	return &actions.Step{
		Action: actions.DeleteTag, Ref: ref, Region: r.Region, Namespace: r.Namespace, Image: r.Image, Tag: r.Tag, Digest: digest,
		Reasons: []registry.Reason{{Rule: "retention/pull requests", Text: "older than 14 days"}},
	}
}

// newFolder is an archive in an empty folder.
func newFolder(t testing.TB) (*archive.Archive, string) {
	t.Helper()
	folder := t.TempDir()
	return archive.New(folder, store.NewFolder(folder)), folder
}

// copied archives tags in one run.
func copied(t *testing.T, a *archive.Archive, p *plane, refs ...string) {
	t.Helper()
	copiedWith(t, a, p, options(), refs...)
}

func copiedWith(t *testing.T, a *archive.Archive, p *plane, o archive.CopierOptions, refs ...string) {
	t.Helper()
	c := archive.NewCopier(a, p.connect, o)
	for _, ref := range refs {
		if _, err := c.Copy(t.Context(), step(ref, p.digest(ref))); err != nil {
			t.Fatal(err)
		}
	}
	check(t, c.Close(t.Context()))
}

func restorer(a *archive.Archive, p *plane) *archive.Restorer {
	return archive.NewRestorer(a, p.connect, archive.RestorerOptions{Stay: 30 * 24 * time.Hour, Now: func() time.Time { return now }})
}

// restore brings back the only record of a reference, under that reference.
func restore(ctx context.Context, a *archive.Archive, r *archive.Restorer, ref string) ([]archive.Restored, error) {
	records, err := a.Records(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := archive.Choose(records, archive.Choice{Ref: ref})
	if err != nil {
		return nil, err
	}
	as, err := registry.ParseRef(chosen[0].Ref)
	if err != nil {
		return nil, err
	}
	return r.Restore(ctx, records, chosen[0], as)
}

// signed is the tag of the signature of a digest, in the image api.
func signed(digest string) string {
	return "rg.fr-par.scw.cloud/prod/api:" + strings.Replace(digest, ":", "-", 1) + ".sig"
}

func image(layers int64) v1.Image { return must(random.Image(600, layers)) }

// index has two images.
func index() v1.ImageIndex {
	return mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image(2)}, mutate.IndexAddendum{Add: image(1)})
}
