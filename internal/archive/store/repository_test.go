package store

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// newRepository is a store in a registry in memory. What answer answers is not asked of it.
func newRepository(t *testing.T, answer func(http.ResponseWriter, *http.Request) bool) *Repository {
	t.Helper()
	memory := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			memory.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	at, err := name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/archive/janitor")
	if err != nil {
		t.Fatal(err)
	}
	pull, failed := remote.NewPuller()
	push, err := remote.NewPusher()
	if err = errors.Join(failed, err); err != nil {
		t.Fatal(err)
	}
	return NewRepository(at, pull, push)
}

// says answers requests whose path begins so.
func says(beginning string, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, beginning) {
			return false
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func coded(code string) string {
	return `{"errors": [{"code": "` + code + `", "message": "no", "detail": [{"Action": "pull"}]}]}`
}

// Only the registry itself can say that there is no index: an archive that is not there must
// not pass for one without records.
func TestOnlyARegistryHasAnEmptyArchive(t *testing.T) {
	login := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/v2/token",service="registry"`)
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			return says("/v2/token", status, coded("NOT_FOUND"))(w, r)
		}
	}
	for what, row := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		remedy string // "" if there is no index
	}{
		"no repository":             {says("-", 0, ""), ""},
		"no manifest":               {says("/v2/archive/", 404, coded("MANIFEST_UNKNOWN")), ""},
		"no manifest at Harbor":     {says("/v2/archive/", 404, coded("NOT_FOUND")), ""},
		"another code":              {says("/v2/archive/", 404, coded("NO_LUCK")), "correct archive.to"},
		"a token server without it": {login(404), "run docker login"},
		"a token server refuses":    {login(401), "run docker login"},
		"no right":                  {says("/v2/archive/", 403, coded("DENIED")), "run docker login"},
		"a page":                    {says("/", 404, "<html>\n<body>404</body>\n</html>"), "correct the host in archive.to"},
		"a page behind the ping":    {says("/v2/archive/", 404, "<html>\n<body>404</body>\n</html>"), "correct the host in archive.to"},
	} {
		t.Run(what, func(t *testing.T) {
			index, version, err := newRepository(t, row.answer).Index(t.Context())
			if row.remedy == "" && (err != nil || index != nil || version != "") {
				t.Errorf("%q, %q, %v", index, version, err)
			}
			if row.remedy != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), row.remedy) || strings.ContainsAny(err.Error(), "\n[")) {
				t.Error(err)
			}
		})
	}
}

type refuses struct{ err error }

func (f refuses) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestARegistryWithoutTLSIsExplained(t *testing.T) {
	at, err := name.NewRepository("registry.example.com:5000/janitor")
	if err != nil {
		t.Fatal(err)
	}
	pull, err := remote.NewPuller(remote.WithTransport(refuses{http.ErrSchemeMismatch}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := NewRepository(at, pull, nil).Index(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "put TLS before it") {
		t.Error(err)
	}
}

// An archive whose index was lost must not pass for a new one: its records would be lost for
// good with the next one.
func TestALostIndexOfARepositoryIsAnError(t *testing.T) {
	nothing := says("-", 0, "")
	for what, unmarked := range map[string]bool{"a new archive": false, "one without its marker": true} {
		t.Run(what, func(t *testing.T) {
			s := newRepository(t, nothing)
			if err := setIndex(t, s, string(emptyIndex())); err != nil {
				t.Fatal(err)
			}
			remove := func(tag string) {
				t.Helper()
				if err := s.push.Delete(t.Context(), s.name.Tag(tag)); err != nil {
					t.Fatal(err)
				}
			}
			if unmarked {
				remove(layoutTag)
				s = NewRepository(s.name, s.pull, s.push)
				if err := setIndex(t, s, `{"manifests": []}`); err != nil {
					t.Fatal(err)
				}
			}
			remove(indexTag)
			if _, _, err := s.Index(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), layoutTag) {
				t.Error(err)
			}
			if _, err := s.SetIndex(t.Context(), emptyIndex(), ""); !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
		})
	}
}

func TestAnIndexThatNoRegistryTakesIsRefused(t *testing.T) {
	s := newRepository(t, says("-", 0, ""))
	sized := func(n int) []byte {
		const frame = `{"manifests":[],"annotations":{"a":""}}`
		return []byte(strings.Replace(frame, `""`, `"`+strings.Repeat("x", n-len(frame))+`"`, 1))
	}
	for _, row := range []struct {
		size int
		full bool
	}{{maxIndex, false}, {maxIndex + 1, true}} {
		if err := setIndex(t, s, string(sized(row.size))); (err != nil) != row.full || row.full && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "is full") || !strings.Contains(err.Error(), "run archive purge")) {
			t.Errorf("%d bytes: %v", row.size, err)
		}
	}
	// A purge makes it smaller.
	if err := s.push.Put(t.Context(), s.name.Tag(indexTag), Document{sized(maxIndex + 2), types.OCIImageIndex}); err != nil {
		t.Fatal(err)
	}
	if err := setIndex(t, s, string(sized(maxIndex+1))); err != nil {
		t.Error(err)
	}
}

// A tag that another client has given an archived manifest is not removed with it.
func TestATagOfOthersStays(t *testing.T) {
	s := newRepository(t, says("-", 0, ""))
	put := func(content string, tag string) Blob {
		b := blobOf(content)
		b.Manifest, b.MediaType = true, types.OCIImageIndex
		if err := s.Put(t.Context(), b, opening(content)); err != nil {
			t.Fatal(err)
		}
		if tag != "" {
			if err := s.push.Put(t.Context(), s.name.Tag(tag), Document{[]byte(content), b.MediaType}); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	const alone, kept, part = `{"manifests": []}`, `{"manifests":  []}`, `{"manifests":   []}`
	p := put(part, "")
	index := fmt.Sprintf(`{"manifests":[{"mediaType":"%s","digest":"%s","size":%d}]}`, types.OCIImageIndex, p.Digest, p.Size)
	for _, row := range []struct {
		b      Blob
		stays  bool
		reason string
	}{{put(alone, ""), false, "no tag"}, {put(kept, "keep"), true, "a tag"}, {put(index, "multi"), true, "a tag of an index"}, {p, true, "a part of that"}} {
		s := NewRepository(s.name, s.pull, s.push)
		removed, err := s.Remove(t.Context(), row.b)
		there, failed := s.Has(t.Context(), row.b)
		if err = errors.Join(err, failed); err != nil || removed == row.stays || there != row.stays {
			t.Errorf("%s: removed %v, there %v: %v", row.reason, removed, there, err)
		}
	}
}

func TestWhereTagsCannotBeListedNothingIsRemoved(t *testing.T) {
	s := newRepository(t, says("/v2/archive/janitor/tags/list", 403, coded("DENIED")))
	b := blobOf(`{"manifests": []}`)
	b.Manifest, b.MediaType = true, types.OCIImageIndex
	if err := s.Put(t.Context(), b, opening(`{"manifests": []}`)); err != nil {
		t.Fatal(err)
	}
	if removed, err := s.Remove(t.Context(), b); removed || err != nil {
		t.Error(removed, err)
	}
}
