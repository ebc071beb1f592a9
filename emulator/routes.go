package emulator

import (
	"net/http"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// route is the operation and the object that a path names.
type route struct {
	region string
	below  string // the path below the region, with its leading slash
	shape  string // below with {id} for the identifier; "" if the API has no such path
	id     string
	// product is the other API that the path belongs to, with below the whole
	// path; nil for the registry.
	product *product
}

func parseRoute(path string) route {
	below, region := worlds.CutRegion(path)
	if region == "" {
		return parseProduct(path)
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

// operation answers one of the calls of the API. act holds the lock for it.
type operation func(*Server, *region, *call) *answer

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
func (s *Server) act(c *call) *answer {
	if c.route.product != nil {
		return s.actProduct(c)
	}
	r, ok := s.regions[c.route.region]
	if c.route.region != "" && !ok {
		// Recorded of a Scaleway product in a region that does not have it.
		return s.problem(http.StatusNotImplemented, "message", quote("unknown service"))
	}
	methods, ok := s.operations[c.route.shape]
	if !ok {
		return s.problem(http.StatusNotFound, "message", quote("not found"))
	}
	do, ok := methods[c.http.Method]
	if !ok {
		return s.problem(http.StatusMethodNotAllowed, "message", quote("method not allowed"))
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
	id, valid := parseUUID(rt.id)
	if !ok || !valid {
		return ""
	}
	collection, _, _ := strings.Cut(strings.TrimPrefix(rt.shape, "/"), "/")
	switch collection {
	case "namespaces":
		if n := r.byNamespace[id]; n != nil {
			return n.ref()
		}
	case "images":
		if i := r.byImage[id]; i != nil {
			return i.ref()
		}
	case "tags":
		if t := r.byTag[id]; t != nil {
			return t.ref()
		}
	}
	return ""
}
