package oci_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/stall"
	"github.com/registry-janitor/registry-janitor/registry"
)

type answers func(*http.Request) *http.Response

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func answer(r *http.Request, status int, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"token":"t"}`)), Request: r}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

var api = registry.Ref{Region: "nl-ams", Namespace: "prod", Image: "team/api"}

// The login goes to the registry and to the provider, and to no other host that the
// registry names.
func TestTheLoginStaysWhereItBelongs(t *testing.T) {
	for realm, goes := range map[string]bool{
		"https://api.scaleway.com/tokens":  true,
		"https://rg.nl-ams.scw.cloud/tok":  true,
		"http://api.scaleway.com/tokens":   false,
		"https://scaleway.com.example.com": false,
		"https://example.com/tokens":       false,
		// Customers have hosts below names of the provider.
		"https://x.functions.fnc.nl-ams.scw.cloud/t": false,
	} {
		t.Run(realm, func(t *testing.T) {
			loggedIn := false
			plane := oci.NewReader(oci.Options{URL: "https://rg.{region}.scw.cloud", Password: "secret", Base: answers(func(r *http.Request) *http.Response {
				if _, password, ok := r.BasicAuth(); ok && password == "secret" {
					loggedIn = true
				}
				if strings.HasPrefix(r.URL.Path, "/v2/") && r.Header.Get("Authorization") == "" {
					return answer(r, http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="`+realm+`",service="registry"`)
				}
				return answer(r, http.StatusOK)
			})})
			to, err := plane.Connect(api)
			if err != nil {
				t.Fatal(err)
			}
			if got := to.Repository.Name(); got != "rg.nl-ams.scw.cloud/prod/team/api" {
				t.Error(got)
			}
			_, err = to.Puller.Head(t.Context(), to.Repository.Tag("v1"))
			if loggedIn != goes {
				t.Errorf("the login was sent: %v; %v", loggedIn, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error(err)
			}
		})
	}
}

func TestAReaderDoesNotPush(t *testing.T) {
	var pushed atomic.Bool // the pusher asks for several blobs at a time
	plane := oci.NewReader(oci.Options{URL: "http://registry.example.com", Base: answers(func(r *http.Request) *http.Response {
		switch r.Method {
		case http.MethodHead:
			return answer(r, http.StatusNotFound)
		case http.MethodPost, http.MethodPut:
			pushed.Store(true)
		}
		return answer(r, http.StatusOK)
	})})
	to, err := plane.Connect(api)
	if err != nil {
		t.Fatal(err)
	}
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Pusher.Push(t.Context(), to.Repository.Tag("v1"), image); err == nil || pushed.Load() {
		t.Errorf("pushed: %v; %v", pushed.Load(), err)
	}
}

// Only what is asked for is pushed, whatever the registry knows of subjects.
func TestASubjectMovesNoTag(t *testing.T) {
	var pushed []string // one at a time
	plane := oci.NewWriter(oci.Options{URL: "http://registry.example.com", Base: answers(func(r *http.Request) *http.Response {
		switch {
		case r.URL.Path == "/v2/":
			return answer(r, http.StatusOK)
		case r.Method == http.MethodPut:
			pushed = append(pushed, r.URL.Path)
			return answer(r, http.StatusCreated)
		}
		return answer(r, http.StatusNotFound)
	})})
	to, err := plane.Connect(api)
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	signature := store.Document{Type: types.OCIManifestSchema1, Raw: []byte(`{"schemaVersion":2,"config":{},"subject":{"digest":"` + digest + `","size":1}}`)}
	if _, err := to.Puller.Head(t.Context(), to.Repository.Registry.Repo("prod", "referrers", "shared").Tag("v1")); err == nil {
		t.Error("an image whose name is like that of the API is answered")
	}
	err = to.Pusher.Put(t.Context(), to.Repository.Tag("v1"), signature)
	if want := []string{"/v2/prod/team/api/manifests/v1"}; err != nil || !slices.Equal(pushed, want) {
		t.Errorf("%v: %q, want %q", err, pushed, want)
	}
}

// silent is a body of which nothing more comes until the request ends.
type silent struct{ r *http.Request }

func (s silent) Read([]byte) (int, error) {
	<-s.r.Context().Done()
	return 0, s.r.Context().Err()
}

func (silent) Close() error { return nil }

func TestARegistryThatStopsWithinALayerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plane := oci.NewReader(oci.Options{URL: "http://registry.example.com", Base: answers(func(r *http.Request) *http.Response {
			resp := answer(r, http.StatusOK)
			if strings.Contains(r.URL.Path, "/blobs/") {
				resp.Body, resp.ContentLength = silent{r}, 100
			}
			return resp
		})})
		to, err := plane.Connect(api)
		if err != nil {
			t.Fatal(err)
		}
		layer, err := to.Puller.Layer(t.Context(), to.Repository.Digest("sha256:"+strings.Repeat("a", 64)))
		if err != nil {
			t.Fatal(err)
		}
		content, err := layer.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := io.ReadAll(content); !errors.As(err, new(*stall.Error)) || time.Since(began) != stall.Limit {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARequestWithoutAnAnswerIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		plane := oci.NewReader(oci.Options{URL: "http://registry.example.com", Base: roundTrips(func(r *http.Request) (*http.Response, error) {
			if sent.Add(1) == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(r, http.StatusOK, "Content-Type", "application/vnd.oci.image.manifest.v1+json", "Docker-Content-Digest", "sha256:"+strings.Repeat("a", 64), "Content-Length", "2"), nil
		})})
		to, err := plane.Connect(api)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Puller.Head(t.Context(), to.Repository.Tag("v1")); err != nil || sent.Load() < 3 {
			t.Error(sent.Load(), err)
		}
	})
}

// A registry that limits the rate has done nothing of what it refuses.
func TestWhatIsRefusedForItsRateIsSentAgain(t *testing.T) {
	for name, row := range map[string]struct {
		refusals, sent int
		after          string
		pause          time.Duration
		refused        bool
	}{
		"once":                   {refusals: 1, sent: 2, after: "7", pause: 7 * time.Second},
		"again and again":        {refusals: 100, sent: 3 * 5, after: "1", refused: true},
		"for longer than we can": {refusals: 1, sent: 1, after: "3600", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				plane := oci.NewReader(oci.Options{URL: "http://registry.example.com", Base: answers(func(r *http.Request) *http.Response {
					if !strings.Contains(r.URL.Path, "/manifests/") {
						return answer(r, http.StatusOK)
					}
					if sent++; sent <= row.refusals {
						return answer(r, http.StatusTooManyRequests, "Retry-After", row.after)
					}
					return answer(r, http.StatusOK, "Content-Type", "application/vnd.oci.image.manifest.v1+json", "Docker-Content-Digest", "sha256:"+strings.Repeat("a", 64), "Content-Length", "2")
				})})
				to, err := plane.Connect(api)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				_, err = to.Puller.Head(t.Context(), to.Repository.Tag("v1"))
				if (err != nil) != row.refused || sent != row.sent || !row.refused && time.Since(began) != row.pause {
					t.Errorf("%d were sent in %s: %v", sent, time.Since(began), err)
				}
			})
		})
	}
}
