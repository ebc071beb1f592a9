package emulator

import (
	"net/http"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// product is one version of one serverless API.
type product struct {
	prefix  string // of its paths, up to the region
	regions []string
	lists   map[string]func(*Server, *serverless, *call) answer // by the path below the region
}

func products() []product {
	return []product{
		{"/containers/v1/regions/", worlds.ContainerRegions(), map[string]func(*Server, *serverless, *call) answer{
			"/containers": (*Server).listContainers, "/namespaces": (*Server).listContainerNamespaces,
		}},
		{"/containers/v1beta1/regions/", worlds.Regions(), map[string]func(*Server, *serverless, *call) answer{
			"/containers": (*Server).listBetaContainers, "/namespaces": (*Server).listContainerNamespaces,
		}},
		{"/serverless-jobs/v1alpha2/regions/", worlds.Regions(), map[string]func(*Server, *serverless, *call) answer{
			"/job-definitions": (*Server).listJobs,
		}},
	}
}

// serverless is what runs in one region. Nothing changes it.
type serverless struct {
	containers, jobs, namespaces listing[*workload]
}

// workload is a container, a job definition or a namespace of containers.
type workload struct {
	id, within uuid
	name       string
	image      string
	region     string
	created    int64 // microseconds
}

func (w *workload) born() int64   { return w.created }
func (w *workload) title() string { return w.name }

// parseServerless finds the serverless API that a path is of.
func parseServerless(path string) (rt route, ok bool) {
	for _, p := range products() {
		rest, ok := strings.CutPrefix(path, p.prefix)
		if !ok {
			continue
		}
		region, below, _ := strings.Cut(rest, "/")
		return route{region: region, product: &p, below: path, shape: "/" + below}, true
	}
	return route{}, false
}

// paths are the names that the faults may give to what is asked for.
func (rt route) paths() []string {
	if rt.product == nil || rt.shape == "/namespaces" { // which those of the registry have already
		return []string{rt.below}
	}
	return []string{rt.below, rt.shape}
}

// actServerless answers a call to a serverless API, which this registry only
// lists.
func (s *Server) actServerless(c *call) answer {
	list, ok := c.route.product.lists[c.route.shape]
	switch {
	case !slices.Contains(c.route.product.regions, c.route.region):
		return s.problem(http.StatusNotImplemented, "message", quote("unknown service"))
	case !ok:
		return s.problem(http.StatusNotFound, "message", quote("not found"))
	case c.http.Method != http.MethodGet:
		return s.problem(http.StatusMethodNotAllowed, "message", quote("method not allowed"))
	}
	return list(s, s.serverless[c.route.region], c)
}

func (s *Server) listContainers(of *serverless, c *call) answer {
	return s.listWorkloads(c, "containers", &of.containers, func(w *writer) func(*workload) {
		return func(x *workload) { w.workload(x, "namespace_id", "image") }
	})
}

func (s *Server) listBetaContainers(of *serverless, c *call) answer {
	return s.listWorkloads(c, "containers", &of.containers, func(w *writer) func(*workload) {
		return func(x *workload) { w.workload(x, "namespace_id", "registry_image") }
	})
}

func (s *Server) listContainerNamespaces(of *serverless, c *call) answer {
	return s.listWorkloads(c, "namespaces", &of.namespaces, func(w *writer) func(*workload) {
		return func(x *workload) { w.workload(x, "project_id", "") }
	})
}

func (s *Server) listJobs(of *serverless, c *call) answer {
	return s.listWorkloads(c, "job_definitions", &of.jobs, func(w *writer) func(*workload) {
		return func(x *workload) { w.workload(x, "project_id", "image_uri") }
	})
}

func (s *Server) listWorkloads(c *call, name string, l *listing[*workload], each func(*writer) func(*workload)) answer {
	p := s.params(c, "created_at", "name")
	if p.bad != nil {
		return *p.bad
	}
	return page(s, c, p, name, rows(p, l), each)
}

// workload writes what the lists of all these APIs have in common; image is the
// name of its field, "" for none.
func (w *writer) workload(x *workload, within, image string) {
	w.open("id").id(x.id)
	w.next("name").text(x.name)
	w.next(within).id(x.within)
	w.next("status").text(statusReady)
	if image != "" {
		w.next(image).text(x.image)
	}
	w.next("created_at").time(x.created)
	w.next("updated_at").time(x.created)
	w.next("region").text(x.region)
	w.raw("}")
}

// serverless makes what runs in all regions.
func (b *builder) serverless(w *worlds.World) map[string]*serverless {
	made := map[string]*serverless{}
	filled := map[string]*struct{ containers, jobs, namespaces []*workload }{}
	for _, region := range worlds.ContainerRegions() {
		made[region] = &serverless{}
		filled[region] = &struct{ containers, jobs, namespaces []*workload }{}
	}
	known := map[uuid]bool{}
	for i := range w.Containers {
		entry := &w.Containers[i]
		region, namespace := or(entry.Region, worlds.Regions()[0]), or(entry.Namespace, worlds.DefaultNamespace)
		to := filled[region]
		within := identify("serverless", region, namespace)
		if !known[within] {
			known[within] = true
			to.namespaces = append(to.namespaces, &workload{id: within, within: b.owner, name: namespace, region: region, created: b.start})
		}
		for n := range worlds.Repeat(entry.Count) {
			name := worlds.Expand(entry.Name, entry.Count, n)
			to.containers = append(to.containers, &workload{
				id: identify("container", region, namespace, name), within: within, name: name,
				image: worlds.Expand(entry.Image, entry.Count, n), region: region, created: b.ago(entry.Age),
			})
		}
	}
	for i := range w.Jobs {
		entry := &w.Jobs[i]
		region := or(entry.Region, worlds.Regions()[0])
		for n := range worlds.Repeat(entry.Count) {
			name := worlds.Expand(entry.Name, entry.Count, n)
			filled[region].jobs = append(filled[region].jobs, &workload{
				id: identify("job", region, name), within: b.owner, name: name,
				image: worlds.Expand(entry.Image, entry.Count, n), region: region, created: b.ago(entry.Age),
			})
		}
	}
	for region, to := range filled {
		made[region].containers.fill(to.containers)
		made[region].jobs.fill(to.jobs)
		made[region].namespaces.fill(to.namespaces)
	}
	return made
}
