package archivist

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

const visibilityWorld = `
namespaces:
  - {name: open, is_public: true, images: [{name: api, visibility: inherit, tags: [{name: a}]}, {name: web, visibility: private, tags: [{name: a}]}, {name: both, visibility: private, tags: [{name: a}]}]}
  - {name: closed, images: [{name: both, visibility: public, tags: [{name: a}]}]}
`

// A restoration may take four calls beside those of its blobs, three of which are for its
// manifest.
func TestTheVisibilityIsReadWithOneCall(t *testing.T) {
	world, err := worlds.Parse("world.yaml", []byte(visibilityWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		server.ServeHTTP(w, r)
	}))
	defer listener.Close()
	connection := scaleway.Options{Credentials: &scaleway.Credentials{
		APIURL: listener.URL, AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: "11111111-1111-1111-1111-111111111111",
	}}
	for name, row := range map[string]struct {
		image, was, note string
		calls            int64
	}{
		"as it was":                         {"open/web", "private", "", 1},
		"inherits as it did":                {"open/api", "inherit", "", 1},
		"another one":                       {"open/web", "public", "is private now, and was public", 1},
		"private once, and public":          {"open/api", "private", "is public now, as its namespace is, and was private by itself", 2},
		"a name that another namespace has": {"closed/both", "private", "is public now, and was private", 2},
		"an image that is not there":        {"open/none", "private", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			notes := visibilityNotes(t.Context(), connection, []archive.Restored{
				{As: "rg.fr-par.scw.cloud/" + row.image + ":a", Record: archive.Record{Visibility: row.was}},
			})
			if all := strings.Join(notes, " "); !strings.Contains(all, row.note) || row.note == "" && all != "" {
				t.Errorf("%q", all)
			}
			if calls.Load() != row.calls {
				t.Errorf("%d calls", calls.Load())
			}
		})
	}
}
