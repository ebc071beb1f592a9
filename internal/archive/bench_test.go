package archive_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

// BenchmarkCopy copies 60 images of 1 MB, each in three blobs, from a registry behind 20 ms
// of latency into a directory, as many at once as a run does. BenchmarkApplyArchive of the
// program has what a whole run takes.
func BenchmarkCopy(b *testing.B) {
	p := newPlane(b)
	var refs []string
	for i := range 60 {
		refs = append(refs, fmt.Sprintf("rg.fr-par.scw.cloud/prod/api:pr-%d", i))
		p.push(refs[i], must(random.Image(500_000, 2)))
	}
	digests := map[string]string{}
	for _, ref := range refs {
		digests[ref] = p.digest(ref)
	}
	p.refuse = func(*http.Request) bool { return false }
	p.latency = 20 * time.Millisecond
	for b.Loop() {
		a, _ := newFolder(b)
		r := must(registry.ParseRef(refs[0]))
		at := must(p.connect(r))
		c := archive.NewCopier(a, func(registry.Ref) (oci.Connection, error) { return at, nil }, options())
		var group errgroup.Group
		group.SetLimit(64)
		for _, ref := range refs {
			group.Go(func() error {
				_, err := c.Copy(b.Context(), step(ref, digests[ref]))
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
