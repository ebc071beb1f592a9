package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestTheContentOfADigestIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		known := l.Digests()
		want := map[string]*registry.Content{}
		var digests []string
		for i := range keepTogether + 50 {
			digest := fmt.Sprintf("sha256:%064x", i)
			want[digest] = &registry.Content{Kind: registry.ContentImage, SizeBytes: uint64(i)}
			known.Keep(t.Context(), digest, want[digest])
			digests = append(digests, digest)
		}
		asked := append([]string{"sha256:other", ""}, digests...)
		if diff := cmp.Diff(want, known.Find(t.Context(), asked)); diff != "" {
			t.Errorf("some of it is not written yet: %s", diff)
		}
		must(t, known.Close(t.Context()))
		again := l.Digests()
		again.Keep(t.Context(), digests[0], want[digests[0]]) // two runs may read the same
		must(t, again.Close(t.Context()))
		if _, err := l.db.ExecContext(t.Context(), `UPDATE janitor_digests SET content = $1 WHERE digest = $2`, []byte{9}, packed.PackDigest(digests[0])); err != nil {
			t.Fatal(err)
		}
		delete(want, digests[0]) // it is damaged, and read again
		later := l.Digests()
		if diff := cmp.Diff(want, later.Find(t.Context(), asked)); diff != "" {
			t.Error(diff)
		}
		must(t, later.Close(t.Context()))
	})
}
