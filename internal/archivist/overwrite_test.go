package archivist

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestATagIsMovedOnlyIfItsContentWasArchivedOrNeedNotBe(t *testing.T) {
	const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
	ref := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "latest"}
	unreachable := func(registry.Ref) (oci.Connection, error) {
		return oci.Connection{}, errors.New("the registry cannot be reached")
	}
	for name, row := range map[string]struct{ required, err, note string }{
		"a copy is required":   {"true", "it has the digest " + digest + ", and nothing was changed: it cannot be archived: the registry cannot be reached", ""},
		"a copy is not needed": {"false", "", "had the digest " + digest + " before; that could not be archived: the registry cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse("janitor.yaml", []byte("archive: {to: archive, required: "+row.required+"}\n"))
			if err != nil {
				t.Fatal(err)
			}
			a := archive.New("archive", store.NewFolder(t.TempDir()))
			w := newOverwriting(c, a, unreachable, RestoreOptions{Now: time.Now})
			err = w.save(t.Context(), ref, digest)
			if row.err == "" && err != nil || row.err != "" && (err == nil || err.Error() != row.err) {
				t.Errorf("%v", err)
			}
			if note := w.note(&archive.Restored{As: ref.String(), Before: digest}); !strings.HasSuffix(note, row.note) {
				t.Error(note)
			}
		})
	}
}
