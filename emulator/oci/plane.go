package oci

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/registry-janitor/registry-janitor/emulator"
)

// New makes the data plane of a server: use it as [emulator.Options].DataPlane.
func New(s *emulator.Server) http.Handler {
	p := &plane{server: s, images: map[string]*image{}}
	_, _ = rand.Read(p.key[:]) // never fails
	p.library = registry.New(
		registry.Logger(log.New(io.Discard, "", 0)),
		registry.WithBlobHandler(blobs{p}),
	)
	return p
}

type plane struct {
	server  *emulator.Server
	library http.Handler
	key     [32]byte // signs tokens and the addresses of blobs

	mu     sync.Mutex // guards all below
	images map[string]*image
}

// ServeHTTP answers a request.
func (p *plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	a := p.server.Address(r)
	switch {
	case strings.HasPrefix(r.URL.Path, emulator.TokenPath):
		p.serveToken(w, r)
	case strings.HasPrefix(r.URL.Path, emulator.BlobPath):
		p.serveStored(w, r, a)
	case !p.allowed(r, a):
		p.challenge(w, r, a)
	case a.Kind == "" && strings.Trim(r.URL.Path, "/") == "v2":
		w.WriteHeader(http.StatusOK)
	case a.Kind == "" || !p.server.HasNamespace(a):
		problem(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	case a.Kind == "manifests":
		p.serveManifest(w, r, a)
	case a.Kind == "tags":
		p.serveTags(w, r, a)
	case a.Kind == "referrers":
		p.serveReferrers(w, r, a)
	case r.Method == http.MethodDelete:
		unsupported(w)
	case r.Method == http.MethodPost && r.URL.Query().Get("mount") != "" && p.mount(w, r, a):
	default:
		p.forward(w, r, a, a.Reference)
	}
}

// asked is the request that the library answers, for the handler of blobs.
type asked struct {
	request *http.Request
	address emulator.Address
}

type askedKey struct{}

// forward lets the library answer, under one name for each image.
func (p *plane) forward(w http.ResponseWriter, r *http.Request, a emulator.Address, reference string) {
	inner := r.Clone(context.WithValue(r.Context(), askedKey{}, asked{r, a}))
	inner.URL.Path = "/v2/" + key(a) + "/" + a.Kind + "/" + reference
	inner.URL.RawPath = ""
	p.library.ServeHTTP(w, inner)
}

// key is the one name of an image.
func key(a emulator.Address) string { return a.Region + "/" + a.Namespace + "/" + a.Image }

// image is what was pushed to an image, and what is known of its world.
type image struct {
	id        string // in the API; "" before the first tag
	manifests map[digest]*manifest
	blobs     map[digest]blob
}

// image is the state of an image. One that was deleted in the API starts anew. The caller
// holds the lock.
func (p *plane) image(r *http.Request, a emulator.Address) *image {
	k := key(a)
	held, exists := p.server.Image(a)
	img := p.images[k]
	if img != nil && img.id != "" && (!exists || img.id != held.ID) {
		for d := range img.manifests {
			p.forget(r, a, img, d)
		}
		img = nil
	}
	if img == nil {
		img = &image{manifests: map[digest]*manifest{}, blobs: map[digest]blob{}}
		p.images[k] = img
	}
	if exists {
		img.id = held.ID
	}
	return img
}

// problem answers with an error of the protocol.
func problem(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, "application/json", map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

func unsupported(w http.ResponseWriter) {
	problem(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the operation is unsupported")
}
