package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
	"github.com/registry-janitor/registry-janitor/emulator/internal/gateway"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// TokenPath is where the data plane gives tokens, with the region before /tokens.
const TokenPath = "/registry-internal/v1/regions/"

// BlobPath is where blobs are that the data plane redirects to.
const BlobPath = "/_emulator/blobs/"

// isDataPlane reports whether a path is one of the data plane.
func isDataPlane(path string) bool {
	return path == "/v2" || strings.HasPrefix(path, "/v2/") || strings.HasPrefix(path, TokenPath) || strings.HasPrefix(path, BlobPath)
}

// Address is what a request to the data plane names. Fields that it does not name are "".
type Address struct {
	Region, Namespace, Image string
	Kind                     string // manifests, blobs, tags, referrers
	Reference                string // tag or digest; list; uploads and what follows
}

// Address reads the path of a request to the data plane. The region is the one that the
// host names (rg.nl-ams.scw.cloud, nl-ams.localhost), or the one before the namespace,
// or the first one that has the namespace.
func (s *Server) Address(r *http.Request) Address {
	path := strings.TrimPrefix(r.URL.Path, BlobPath)
	if rest, ok := strings.CutPrefix(path, TokenPath); ok {
		region, _, _ := strings.Cut(rest, "/")
		return Address{Region: region}
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(path, "/v2"), "/"), "/")
	for i := len(parts) - 2; i > 0; i-- {
		if slices.Contains([]string{"manifests", "blobs", "tags", "referrers"}, parts[i]) {
			a := s.Locate(r.Host, strings.Join(parts[:i], "/"))
			a.Kind, a.Reference = parts[i], strings.Join(parts[i+1:], "/")
			return a
		}
	}
	return Address{Region: regionOf(strings.Split(r.Host, "."))}
}

// Locate finds out where the image of a reference without its host is.
func (s *Server) Locate(host, image string) Address {
	parts := strings.Split(image, "/")
	region := regionOf(strings.Split(host, "."))
	if len(parts) > 2 && slices.Contains(worlds.Regions(), parts[0]) {
		region, parts = parts[0], parts[1:]
	}
	a := Address{Region: region, Namespace: parts[0], Image: strings.Join(parts[1:], "/")}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range worlds.Regions() {
		if a.Region != "" {
			return a
		}
		if _, ok := s.regions[name].namespaces.Find(a.Namespace); ok {
			a.Region = name
		}
	}
	if a.Region == "" {
		a.Region = worlds.Regions()[0]
	}
	return a
}

// regionOf is the region that the first labels of a host name, or "".
func regionOf(labels []string) string {
	for _, label := range labels[:min(2, len(labels))] {
		if slices.Contains(worlds.Regions(), label) {
			return label
		}
	}
	return ""
}

// Ref is the name of what an address names: namespace/image:tag, namespace/image, or "".
func (a Address) Ref() string {
	switch {
	case a.Image == "":
		return ""
	case a.Kind == "manifests" && !strings.HasPrefix(a.Reference, "sha256:"):
		return a.Namespace + "/" + a.Image + ":" + a.Reference
	}
	return a.Namespace + "/" + a.Image
}

// serveDataPlane answers a request to the data plane, which has a separate rate limit.
func (s *Server) serveDataPlane(w http.ResponseWriter, r *http.Request) {
	c := &call{http: r, received: s.now()}
	c.logged = s.log.Begin(r, r.Host, c.received)
	if !s.dataLimiter.Allow(c.received) {
		s.respond(w, c, wire.RateLimited())
		return
	}
	a := s.Address(r)
	c.route.region = a.Region
	// Like the API, the data plane first asks who the client is.
	if a.Kind == "" || r.Header.Get("Authorization") != "" || strings.HasPrefix(r.URL.Path, BlobPath) {
		c.fault = s.faults.Pick(&gateway.Call{Request: r, Region: a.Region, Paths: []string{r.URL.Path}, Ref: a.Ref, Data: true})
	}
	s.wait(c)
	s.complete(s.now())
	out := &dataWriter{ResponseWriter: w, server: s, call: c}
	switch {
	case c.fault == nil || c.fault.Effect() == "delay":
		s.dataPlane.ServeHTTP(out, r)
	case c.fault.Effect() == "truncated_json" || c.fault.Effect() == "cut_body":
		out.truncated = true
		s.dataPlane.ServeHTTP(out, r)
		if c.fault.Effect() == "cut_body" { // the connection is reset in the middle of the answer
			_ = http.NewResponseController(w).Flush()
			s.abandon()
		}
	case c.fault.When == "after":
		s.dataPlane.ServeHTTP(gateway.Unheard{}, r)
		fallthrough
	default:
		before := *c.fault
		before.When = ""
		c.fault = &before
		s.misbehave(w, c)
	}
}

// dataWriter logs the status of an answer before it sends it, and may send half of it.
type dataWriter struct {
	http.ResponseWriter
	server    *Server
	call      *call
	truncated bool
	wrote     bool
	left      int64 // of a truncated answer
}

// WriteHeader begins the answer.
func (w *dataWriter) WriteHeader(status int) {
	if w.wrote {
		return
	}
	w.wrote = true
	w.server.log.Status(w.call.logged, status)
	h := w.Header()
	skew := w.server.settings.ClockSkew
	if w.call.fault != nil {
		skew += w.call.fault.DateOffset
	}
	h["Date"] = []string{w.server.now().Add(skew).UTC().Format(http.TimeFormat)}
	if w.truncated {
		n, _ := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
		w.left = n / 2
		if w.call.fault.Effect() == "truncated_json" {
			h.Set("Content-Length", strconv.FormatInt(w.left, 10))
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the answer.
func (w *dataWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if !w.truncated {
		return w.ResponseWriter.Write(p)
	}
	shown := p[:min(int64(len(p)), w.left)]
	w.left -= int64(len(shown))
	if _, err := w.ResponseWriter.Write(shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Holding is an image as the data plane needs it.
type Holding struct {
	ID     string // another one if the image is deleted and pushed again
	Public bool
}

// Image is an image that is not being deleted.
func (s *Server) Image(a Address) (h Holding, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	img := s.image(a)
	if img == nil {
		return h, false
	}
	public := img.visibility == visibilityPublic || img.visibility == visibilityInherit && img.namespace.isPublic
	return Holding{img.id.String(), public}, true
}

// HasNamespace reports whether a namespace takes images.
func (s *Server) HasNamespace(a Address) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.regions[a.Region]
	if !ok {
		return false
	}
	ns, ok := r.namespaces.Find(a.Namespace)
	return ok && !ns.leaving
}

// image finds an image by its name. The caller holds the lock.
func (s *Server) image(a Address) *image {
	r, ok := s.regions[a.Region]
	if !ok {
		return nil
	}
	img := r.byImage[s.newID(a.Region, a.Namespace, a.Image)]
	if img == nil || img.state() == statusDeleting {
		return nil
	}
	return img
}

// Tags are the tags of an image that are not being deleted, with their digests.
func (s *Server) Tags(a Address) map[string]content.Digest {
	tags := map[string]content.Digest{}
	s.eachTag(a, func(t *tag) bool { tags[t.name] = t.digest; return true })
	return tags
}

// Content is what the tags of an image with a digest hold: nil if there is none, or if it
// was pushed.
func (s *Server) Content(a Address, d content.Digest) (c *content.Content) {
	s.eachTag(a, func(t *tag) bool {
		if t.digest == d {
			c = t.content()
		}
		return c == nil
	})
	return c
}

// Contents yields what the tags of an image hold.
func (s *Server) Contents(a Address, yield func(*content.Content) bool) {
	s.eachTag(a, func(t *tag) bool {
		c := t.content()
		return c == nil || yield(c)
	})
}

// eachTag yields the tags that are not being deleted, under the lock.
func (s *Server) eachTag(a Address, yield func(*tag) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	img := s.image(a)
	if img == nil {
		return
	}
	img.makeDigests()
	for _, t := range img.tags.Rows {
		if t.state() != statusDeleting && !yield(t) {
			return
		}
	}
}

// Refuse answers as the gateway does before a product sees the request.
func (s *Server) Refuse(w http.ResponseWriter, status int) {
	a := s.api.Typical(status, "")
	w.Header().Set("Content-Type", a.ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.Body)
}

// Settings are those of the world.
func (s *Server) Settings() worlds.Settings { return s.settings }

// Now is the time of the server.
func (s *Server) Now() time.Time { return s.now() }
