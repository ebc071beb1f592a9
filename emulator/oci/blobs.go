package oci

import (
	"bytes"
	"context"
	"crypto/hmac"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
)

// blob is where a blob is read from.
type blob struct {
	io.ReaderAt
	size int64
}

// blobs stores blobs for the library.
type blobs struct{ *plane }

// Stat is the size of a blob, or where to read it.
func (b blobs) Stat(ctx context.Context, _ string, h v1.Hash) (int64, error) {
	found, err := b.find(ctx, h)
	return found.size, err
}

// Get reads a blob.
func (b blobs) Get(ctx context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	found, err := b.find(ctx, h)
	if err != nil {
		return nil, err
	}
	return struct {
		*io.SectionReader
		io.Closer
	}{io.NewSectionReader(found, 0, found.size), io.NopCloser(nil)}, nil
}

// Put keeps what a client uploads.
func (b blobs) Put(ctx context.Context, _ string, h v1.Hash, rc io.ReadCloser) error {
	data, err := io.ReadAll(rc)
	d, ok := parseDigest(h.String())
	about, known := ctx.Value(askedKey{}).(asked)
	if err != nil || !ok || !known {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.image(about.request, about.address).blobs[d] = blob{bytes.NewReader(data), int64(len(data))}
	return rc.Close()
}

func (b blobs) find(ctx context.Context, h v1.Hash) (found blob, err error) {
	d, ok := parseDigest(h.String())
	about, known := ctx.Value(askedKey{}).(asked)
	if !ok || !known {
		return found, registry.ErrNotFound
	}
	b.mu.Lock()
	found, ok = b.blob(about.address, b.image(about.request, about.address), d)
	b.mu.Unlock()
	switch {
	case !ok:
		return found, registry.ErrNotFound
	case b.server.Settings().Blobs == "redirect":
		return found, registry.RedirectError{Location: b.location(about.request, about.address, d), Code: http.StatusTemporaryRedirect}
	}
	return found, nil
}

// blob finds a blob in what was pushed to an image and in what its tags hold. The caller
// holds the lock.
func (p *plane) blob(a emulator.Address, img *image, d digest) (found blob, ok bool) {
	if found, ok = img.blobs[d]; !ok {
		p.server.Contents(a, func(c *content.Content) bool { img.know(c); return true })
		found, ok = img.blobs[d]
	}
	return found, ok
}

// mount takes a blob over from another image, and reports whether it could.
func (p *plane) mount(w http.ResponseWriter, r *http.Request, a emulator.Address) bool {
	query := r.URL.Query()
	d, ok := parseDigest(query.Get("mount"))
	from := p.server.Locate(r.Host, query.Get("from"))
	t, _ := p.bearer(r)
	if !ok || query.Get("from") == "" || !slices.Contains(t.Access[key(from)], "pull") {
		return false
	}
	p.mu.Lock()
	found, ok := p.blob(from, p.image(r, from), d)
	if ok {
		p.image(r, a).blobs[d] = found
	}
	p.mu.Unlock()
	if ok {
		w.Header().Set("Location", "/v2/"+key(a)+"/blobs/"+d.String())
		w.Header().Set("Docker-Content-Digest", d.String())
		w.WriteHeader(http.StatusCreated)
	}
	return ok
}

// location is where the store has a blob: another name of this host, so that clients see
// a host that differs from the registry's.
func (p *plane) location(r *http.Request, a emulator.Address, d digest) string {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	switch {
	case host == "127.0.0.1":
		host = "localhost"
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		host = "127.0.0.1"
	}
	if port != "" {
		host = net.JoinHostPort(host, port)
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	path := emulator.BlobPath + key(a) + "/blobs/" + d.String()
	return scheme + host + path + "?signature=" + p.sign(path)
}

// serveStored answers as the store behind the registry does: the address is signed, and
// with another authorization the request is refused.
func (p *plane) serveStored(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	d, ok := parseDigest(a.Reference)
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
		return
	case !ok || !hmac.Equal([]byte(r.URL.Query().Get("signature")), []byte(p.sign(r.URL.Path))):
		http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
		return
	}
	p.mu.Lock()
	found, ok := p.blob(a, p.image(r, a), d)
	p.mu.Unlock()
	if !ok {
		http.Error(w, "NoSuchKey", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(found, 0, found.size))
}
