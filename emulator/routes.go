package emulator

import (
	"net/http"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/internal/products"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// route is the operation and the object that a path names.
type route struct {
	region string
	below  string // the path below the region, with its leading slash
	shape  string // below with {id} for the identifier; "" if the API has no such path
	id     string
	// product is the path if another API has it, with below the whole path; nil for the
	// registry.
	product *products.Route
}

func parseRoute(path string) route {
	below, region := worlds.CutRegion(path)
	if region == "" {
		if other, ok := products.Find(path); ok {
			return route{region: other.Region, product: &other, below: path, shape: other.Below}
		}
		return route{below: path}
	}
	rt := route{region: region, below: below}
	parts := strings.Split(below, "/")
	if len(parts) > 2 && parts[2] != "" {
		rt.id = parts[2]
		parts[2] = "{id}"
	}
	rt.shape = strings.Join(parts, "/")
	return rt
}

// paths are the names that a fault can give to the path of a request.
func (rt route) paths() []string {
	if rt.product == nil || rt.shape == "/namespaces" { // the registry has that one already
		return []string{rt.below}
	}
	return []string{rt.below, rt.shape}
}

// operation answers one of the calls of the API. act holds the lock for it.
type operation func(*Server, *region, *call) *wire.Answer

// operations are all calls that the API has.
func operations() map[string]map[string]operation {
	return map[string]map[string]operation{
		"/namespaces": {
			http.MethodGet:  (*Server).listNamespaces,
			http.MethodPost: (*Server).createNamespace,
		},
		"/namespaces/{id}": {
			http.MethodGet:    get("Namespace", namespacesOf),
			http.MethodPatch:  (*Server).patchNamespace,
			http.MethodDelete: remove("Namespace", namespacesOf, (*Server).deleteNamespace),
		},
		"/images": {http.MethodGet: (*Server).listImages},
		"/images/{id}": {
			http.MethodGet:    get("Image", imagesOf),
			http.MethodPatch:  (*Server).patchImage,
			http.MethodDelete: remove("Image", imagesOf, (*Server).deleteImage),
		},
		"/images/{id}/tags": {http.MethodGet: (*Server).listTags},
		"/tags/{id}": {
			http.MethodGet:    get("Tag", tagsOf),
			http.MethodDelete: (*Server).removeTag,
		},
	}
}

// act lets the API carry out a call.
func (s *Server) act(c *call) *wire.Answer {
	if c.route.product != nil {
		return s.products.Answer(c.http, c.route.product, c.fault)
	}
	r, ok := s.regions[c.route.region]
	if c.route.region != "" && !ok {
		// Recorded of a Scaleway product in a region that does not have it.
		return s.api.Problem(http.StatusNotImplemented, "message", wire.Quote("unknown service"))
	}
	methods, ok := s.operations[c.route.shape]
	if !ok {
		return s.api.Problem(http.StatusNotFound, "message", wire.Quote("not found"))
	}
	do, ok := methods[c.http.Method]
	if !ok {
		return s.api.Problem(http.StatusMethodNotAllowed, "message", wire.Quote("method not allowed"))
	}
	s.complete(s.now())
	if c.http.Method == http.MethodGet {
		s.mu.RLock()
		defer s.mu.RUnlock()
	} else {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	c.at = s.now()
	if c.http.Method != http.MethodGet {
		again := *c
		s.record(c.at, func(behind *Server) { behind.act(&again) })
	}
	return do(s, r, c)
}

// refOf is the name of what a route names: namespace, namespace/image or
// namespace/image:tag, and "" if that does not exist.
func (s *Server) refOf(rt route) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.regions[rt.region]
	id, valid := wire.ParseUUID(rt.id)
	if !ok || !valid {
		return ""
	}
	collection, _, _ := strings.Cut(strings.TrimPrefix(rt.shape, "/"), "/")
	switch collection {
	case "namespaces":
		if n := r.byNamespace[id]; n != nil {
			return n.Ref()
		}
	case "images":
		if i := r.byImage[id]; i != nil {
			return i.Ref()
		}
	case "tags":
		if t := r.byTag[id]; t != nil {
			return t.Ref()
		}
	}
	return ""
}
