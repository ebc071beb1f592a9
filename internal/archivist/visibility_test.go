package archivist

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	dataplane "github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/oci"
)

const visibilityWorld = `
namespaces:
  - name: open
    is_public: true
    images: [{name: api, tags: [{name: a}]}, {name: too, tags: [{name: a}]}, {name: web, visibility: private, tags: [{name: a}]}, {name: both, visibility: private, tags: [{name: a}]}]
  - name: closed
    images: [{name: lib, tags: [{name: a}]}, {name: pub, visibility: public, tags: [{name: a}]}, {name: both, visibility: public, tags: [{name: a}]}]
`

// A restoration may take four calls beside those of its blobs, three of which are for its
// manifest.
func TestTheVisibilityTakesOneCall(t *testing.T) {
	world, err := worlds.Parse("world.yaml", []byte(visibilityWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world, DataPlane: dataplane.New})
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			calls.Add(1)
		} else if r.URL.Path != "/v2/" && !strings.HasSuffix(r.URL.Path, "/tokens") {
			t.Errorf("%s %s is sent", r.Method, r.URL)
		}
		server.ServeHTTP(w, r)
	}))
	defer listener.Close()
	visitor := oci.NewVisitor(oci.Options{URL: listener.URL, Password: "secret"})
	for name, row := range map[string]struct {
		from, was, as, note string
	}{
		"private as it was":             {"open/web", "private", "open/web", ""},
		"public as it was":              {"open/api", "public", "open/api", ""},
		"private as its namespace was":  {"closed/lib", "private", "closed/lib", ""},
		"less visible":                  {"open/web", "public", "open/web", "open/web cannot be pulled without a login now, and it was public when its tags were archived: restore does not"},
		"private once, and public":      {"open/api", "private", "open/api", "open/api is public now, and it was private when its tags were archived"},
		"inherited, of an old record":   {"open/api", "inherit", "open/api", "open/api is public now, and the archive does not say whether it was public when its tags were archived"},
		"inherited, and private":        {"closed/lib", "inherit", "closed/lib", ""},
		"not known":                     {"closed/pub", "", "closed/pub", "closed/pub is public now, and the archive does not say whether it was public"},
		"not known, and private":        {"open/web", "", "open/web", ""},
		"a copy that is public":         {"open/web", "private", "open/api", "open/api is public now, and rg.fr-par.scw.cloud/open/web, of which this is a copy, was private when"},
		"a copy that is private as was": {"open/web", "private", "closed/lib", ""},
		"a copy, of an old record":      {"closed/lib", "inherit", "open/api", "does not say whether rg.fr-par.scw.cloud/closed/lib, of which this is a copy, was public when"},
		"a name in another namespace":   {"closed/both", "private", "closed/both", "closed/both is public now, and it was private"},
		"an image that is not there":    {"open/none", "private", "open/none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			notes := visibilityNotes(t.Context(), visitor.Connect, []archive.Restored{restored(row.from, row.was, row.as)})
			if all := strings.Join(notes, " "); !strings.Contains(all, row.note) || row.note == "" && all != "" {
				t.Errorf("%q", all)
			}
			// Of what is private, the token server says so already.
			if isPublic := slices.Contains([]string{"open/api", "closed/pub", "closed/both"}, row.as); isPublic != (calls.Load() == 1) {
				t.Errorf("%d calls", calls.Load())
			}
		})
	}
	t.Run("each image once", func(t *testing.T) {
		calls.Store(0)
		notes := visibilityNotes(t.Context(), visitor.Connect, []archive.Restored{
			restored("open/api", "inherit", "open/api"), restored("open/api", "private", "open/api"), restored("open/api", "public", "open/api"), restored("open/too", "private", "open/too"),
		})
		if len(notes) != 2 || calls.Load() != 2 || !strings.Contains(notes[0], "it was private") {
			t.Errorf("%d calls: %q", calls.Load(), notes)
		}
	})
}

// The image was there when a restoration moved its tag, so moving it back changes nothing.
func TestMovingATagBackSaysNothingOfVisibility(t *testing.T) {
	one := restored("open/api", "", "open/api")
	one.Record.Rule = archive.RuleOverwritten
	if notes := visibilityNotes(t.Context(), nil, []archive.Restored{one}); len(notes) > 0 {
		t.Errorf("%q", notes)
	}
}

func restored(from, was, as string) archive.Restored {
	const host = "rg.fr-par.scw.cloud/"
	return archive.Restored{As: host + as + ":a", Record: archive.Record{Ref: host + from + ":a", Visibility: was}}
}
