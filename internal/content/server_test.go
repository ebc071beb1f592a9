package content_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/internal/content"
	"github.com/registry-janitor/registry-janitor/registry"
)

const secret = "7b1d9c1e-3c5a-4a37-9a61-0c2f9e0d4b5a"

// server is a registry that wants a token, as that of the provider does: it gives one for
// the secret key, answers 404 to any other, and redirects blobs to a storage.
type server struct {
	*httptest.Server
	open    *httptest.Server // the same registry without a login, to push to
	storage *httptest.Server
	blobs   http.Handler

	mu       sync.Mutex
	log      []string // "GET token prod/api", "GET manifests", "GET blobs", "storage"
	tokens   map[string]string
	age      int                                                      // of tokens, in seconds; 0 is not said
	realm    string                                                   // "" is its own
	before   func(w http.ResponseWriter, r *http.Request) (done bool) // sees each request first
	redirect bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{blobs: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), tokens: map[string]string{}}
	s.open = httptest.NewServer(s.blobs)
	s.storage = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note("storage")
		if r.Header.Get("Authorization") != "" {
			t.Errorf("the storage was sent credentials: %s", r.URL)
		}
		s.blobs.ServeHTTP(w, r)
	}))
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() { s.open.Close(); s.storage.Close(); s.Close() })
	return s
}

func (s *server) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what)
}

// requests returns those since the last call that contain a word.
func (s *server) requests(word string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.log {
		if strings.Contains(r, word) {
			n++
		}
	}
	return n
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := strings.TrimPrefix(r.URL.Path, "/v2/")
	for _, kind := range []string{"manifests", "blobs", "token"} {
		if strings.Contains(r.URL.Path, "/"+kind) {
			what = kind
		}
	}
	s.note(r.Method + " " + what)
	if s.before != nil && s.before(w, r) {
		return
	}
	if r.URL.Path == "/token" {
		s.token(w, r)
		return
	}
	s.mu.Lock()
	repository := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	s.mu.Unlock()
	if repository == "" || !strings.HasPrefix(r.URL.Path, "/v2/"+repository+"/") {
		realm := s.realm
		if realm == "" {
			realm = s.URL + "/token"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s",service="registry"`, realm))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.redirect && strings.Contains(r.URL.Path, "/blobs/") {
		http.Redirect(w, r, s.storage.URL+r.URL.Path+"?signature=abc", http.StatusTemporaryRedirect)
		return
	}
	s.blobs.ServeHTTP(w, r)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	if _, key, _ := r.BasicAuth(); key != secret {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message":"key %s not found"}`, key)
		return
	}
	repository := strings.TrimSuffix(strings.TrimPrefix(r.URL.Query().Get("scope"), "repository:"), ":pull")
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("token-%d", len(s.tokens))
	s.tokens[token] = repository
	fmt.Fprintf(w, `{"token":%q,"expires_in":%d}`, token, s.age)
}

// expire makes every token useless.
func (s *server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.tokens {
		s.tokens[token] = ""
	}
}

func (s *server) reader(t *testing.T, set ...func(*content.Options)) *content.Reader {
	t.Helper()
	o := content.Options{URL: s.URL, APIURL: "https://api.example.com", SecretKey: secret}
	for _, f := range set {
		f(&o)
	}
	r, err := content.NewReader(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *server) repository(t *testing.T, name_ string) name.Repository {
	t.Helper()
	u, err := url.Parse(s.open.URL)
	if err != nil {
		t.Fatal(err)
	}
	repo, err := name.NewRepository(u.Host + "/" + name_)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// push pushes an image or an index, and returns its digest.
func (s *server) push(t *testing.T, name string, what remote.Taggable) string {
	t.Helper()
	type digester interface{ Digest() (v1.Hash, error) }
	hash, err := what.(digester).Digest()
	if err != nil {
		t.Fatal(err)
	}
	ref := s.repository(t, name).Digest(hash.String())
	switch what := what.(type) {
	case v1.Image:
		err = remote.Write(ref, what)
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what)
	default:
		err = remote.Put(ref, what)
	}
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

// image is an image of one layer of 1,000 bytes, compressed or not.
func image(t *testing.T, platform string, labels map[string]string, built string) v1.Image {
	t.Helper()
	img, err := random.Image(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	config.Config.Labels = labels
	if built != "" {
		at, err := time.Parse(time.RFC3339, built)
		if err != nil {
			t.Fatal(err)
		}
		config.Created = v1.Time{Time: at}
	}
	img, err = mutate.ConfigFile(img, config)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func ref(image string) registry.Ref {
	return registry.Ref{Region: "fr-par", Namespace: "prod", Image: image}
}

// read reads one digest, which must be readable.
func read(t *testing.T, r *content.Reader, image, digest string) *registry.Content {
	t.Helper()
	found, unread := r.Read(t.Context(), ref(image), []string{digest})
	if found[digest] == nil {
		t.Fatalf("unread: %s", unread[digest])
	}
	return found[digest]
}
