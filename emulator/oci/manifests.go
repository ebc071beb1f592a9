package oci

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
	"github.com/registry-janitor/registry-janitor/emulator/internal/gateway"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

type digest = content.Digest

func parseDigest(s string) (digest, bool) {
	d, ok := worlds.Pinned(s)
	return d, ok
}

// manifest is one that was pushed, or that is a part of one.
type manifest struct {
	parts  []digest
	blobs  []emulator.Blob // those of the parts included
	tagged bool            // a tag has, or had, it or an index that it is a part of

	referrer *referrer // nil without a subject
}

// descriptor and document are what a manifest has of interest here.
type descriptor struct {
	MediaType types.MediaType `json:"mediaType"`
	Digest    string          `json:"digest"`
	Size      int64           `json:"size"`
}

type document struct {
	Config    *descriptor  `json:"config"`
	Layers    []descriptor `json:"layers"`
	Manifests []descriptor `json:"manifests"`
	Subject   *descriptor  `json:"subject"`

	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
}

// maxManifest bounds a manifest, as registries do.
const maxManifest = 4 << 20

func (p *plane) serveManifest(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.getManifest(w, r, a)
	case http.MethodPut:
		p.putManifest(w, r, a)
	default:
		unsupported(w)
	}
}

func (p *plane) getManifest(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	d, ok := parseDigest(a.Reference)
	if !ok {
		d, ok = p.server.Tags(a)[a.Reference]
	}
	if !ok {
		problem(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	p.mu.Lock()
	img := p.image(r, a)
	p.sweep(r, a, img)
	pushed := img.manifests[d] != nil
	var made *content.Content
	if !pushed {
		made = p.made(a, img, d)
	}
	p.mu.Unlock()
	switch {
	case pushed:
		p.forward(w, r, a, d.String())
	case made != nil:
		w.Header().Set("Docker-Content-Digest", d.String())
		write(w, http.StatusOK, made.MediaType, made.Manifest)
	default:
		problem(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
	}
}

// made is what the world has under a digest in an image, as a tag or as a part of one;
// nil if it has nothing. It remembers the blobs of what it finds.
func (p *plane) made(a emulator.Address, img *image, d digest) *content.Content {
	found := p.server.Content(a, d)
	if found == nil {
		p.server.Contents(a, func(c *content.Content) bool {
			found = within(c, d)
			return found == nil
		})
	}
	if found != nil {
		img.know(found)
	}
	return found
}

// within finds a digest in a content and its parts.
func within(c *content.Content, d digest) *content.Content {
	if c.Digest == d {
		return c
	}
	for _, part := range c.Parts {
		if found := within(part, d); found != nil {
			return found
		}
	}
	return nil
}

// know remembers the blobs of a content.
func (img *image) know(c *content.Content) {
	for _, b := range c.Blobs {
		if _, ok := img.blobs[b.Digest]; !ok {
			img.blobs[b.Digest] = blob{b, b.Size}
		}
	}
	for _, part := range c.Parts {
		img.know(part)
	}
}

func (p *plane) putManifest(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	d := digest(sha256.Sum256(body))
	byDigest, isDigest := parseDigest(a.Reference)
	var doc document
	switch {
	case err != nil:
		problem(w, http.StatusRequestEntityTooLarge, "MANIFEST_INVALID", "manifest is too large")
		return
	case isDigest && byDigest != d:
		problem(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
		return
	case json.Unmarshal(body, &doc) != nil:
		problem(w, http.StatusBadRequest, "MANIFEST_INVALID", "manifest invalid")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	img := p.image(r, a)
	p.sweep(r, a, img)
	m, missing := p.accept(r, a, img, doc)
	if missing != "" {
		problem(w, http.StatusNotFound, missing, "the manifest names something that was not uploaded")
		return
	}
	if !isDigest {
		if err := p.push(a, d, m); err != nil {
			status, code := refusal(err)
			problem(w, status, code, err.Error())
			return
		}
		m.tagged = true
	}
	w.Header().Set("Location", "/v2/"+key(a)+"/manifests/"+d.String())
	if doc.Subject != nil {
		w.Header().Set("OCI-Subject", doc.Subject.Digest)
	}
	if old := img.manifests[d]; old != nil {
		m.tagged = m.tagged || old.tagged
	}
	m.referrer = doc.referrer(r.Header.Get("Content-Type"), d, len(body))
	img.manifests[d] = m
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.forward(w, r, a, d.String())
}

func (p *plane) push(a emulator.Address, d digest, m *manifest) error {
	return p.server.PushManifest(emulator.Manifest{
		Region: a.Region, Namespace: a.Namespace, Image: a.Image, Tag: a.Reference, Digest: d, Blobs: m.blobs,
	})
}

func refusal(err error) (status int, code string) {
	switch {
	case errors.Is(err, emulator.ErrDeleting):
		return http.StatusConflict, "DENIED"
	case errors.Is(err, emulator.ErrName):
		return http.StatusBadRequest, "NAME_INVALID"
	}
	return http.StatusNotFound, "NAME_UNKNOWN"
}

// accept checks that everything that a manifest names is there. missing is the code of
// the error otherwise.
func (p *plane) accept(r *http.Request, a emulator.Address, img *image, doc document) (m *manifest, missing string) {
	m = &manifest{}
	layers := doc.Layers
	if doc.Config != nil {
		layers = append([]descriptor{*doc.Config}, layers...)
	}
	for _, l := range layers {
		if !l.MediaType.IsDistributable() {
			continue
		}
		d, _ := parseDigest(l.Digest)
		if _, ok := p.blob(a, img, d); !ok {
			return nil, "MANIFEST_BLOB_UNKNOWN"
		}
		m.blobs = append(m.blobs, emulator.Blob{Digest: d, Size: l.Size})
	}
	for _, part := range doc.Manifests {
		d, _ := parseDigest(part.Digest)
		if !p.adopt(r, a, img, d) {
			return nil, "MANIFEST_UNKNOWN"
		}
		m.parts = append(m.parts, d)
		m.blobs = append(m.blobs, img.manifests[d].blobs...)
	}
	return m, ""
}

// adopt keeps a part of an index that is pushed, if the world made it. It reports whether
// the image has the part.
func (p *plane) adopt(r *http.Request, a emulator.Address, img *image, d digest) bool {
	if img.manifests[d] != nil {
		return true
	}
	c := p.made(a, img, d)
	if c == nil {
		return false
	}
	m := &manifest{}
	for _, b := range c.Blobs {
		m.blobs = append(m.blobs, emulator.Blob{Digest: b.Digest, Size: b.Size})
	}
	for _, part := range c.Parts {
		p.adopt(r, a, img, part.Digest)
		m.parts = append(m.parts, part.Digest)
		m.blobs = append(m.blobs, img.manifests[part.Digest].blobs...)
	}
	img.manifests[d] = m
	put, err := http.NewRequestWithContext(r.Context(), http.MethodPut, "/", bytes.NewReader(c.Manifest))
	if err != nil {
		return false
	}
	put.Header.Set("Content-Type", c.MediaType)
	a.Kind = "manifests"
	p.forward(gateway.Unheard{}, put, a, d.String())
	return true
}

// sweep forgets the manifests that a tag had and none has any more, directly or as a part
// of an index.
func (p *plane) sweep(r *http.Request, a emulator.Address, img *image) {
	if len(img.manifests) == 0 {
		return
	}
	live := map[digest]bool{}
	var mark func(d digest)
	mark = func(d digest) {
		m := img.manifests[d]
		if m == nil || live[d] {
			return
		}
		live[d], m.tagged = true, true
		for _, part := range m.parts {
			mark(part)
		}
	}
	for _, d := range p.server.Tags(a) {
		mark(d)
	}
	for d, m := range img.manifests {
		if m.tagged && !live[d] {
			p.forget(r, a, img, d)
		}
	}
}

// forget removes a pushed manifest.
func (p *plane) forget(r *http.Request, a emulator.Address, img *image, d digest) {
	delete(img.manifests, d)
	if del, err := http.NewRequestWithContext(r.Context(), http.MethodDelete, "/", http.NoBody); err == nil {
		a.Kind = "manifests"
		p.forward(gateway.Unheard{}, del, a, d.String())
	}
}

// serveTags lists the tags of an image, in the order of their names.
func (p *plane) serveTags(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	if _, ok := p.server.Image(a); !ok || r.Method != http.MethodGet || a.Reference != "list" {
		problem(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	tags := slices.Sorted(maps.Keys(p.server.Tags(a)))
	if last := r.URL.Query().Get("last"); last != "" {
		at, found := slices.BinarySearch(tags, last)
		if found {
			at++
		}
		tags = tags[at:]
	}
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/v2/"), "/tags/list")
	if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil && n >= 0 && n < len(tags) {
		tags = tags[:n]
		if n > 0 {
			w.Header().Set("Link", "</v2/"+name+"/tags/list?last="+tags[n-1]+"&n="+strconv.Itoa(n)+`>; rel="next"`)
		}
	}
	writeJSON(w, http.StatusOK, "application/json", map[string]any{"name": name, "tags": append([]string{}, tags...)})
}

func writeJSON(w http.ResponseWriter, status int, mediaType string, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status = http.StatusInternalServerError
	}
	write(w, status, mediaType, body)
}

func write(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client is gone
}
