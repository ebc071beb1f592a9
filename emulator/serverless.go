package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// product is one version of another API, of which some calls that read are here.
type product struct {
	prefix  string // of its paths, up to the region
	regions []string
	lists   []string // the paths below the region
}

const (
	containersV1   = "/containers/v1/regions/"
	containersBeta = "/containers/v1beta1/regions/"
	jobsAlpha      = "/serverless-jobs/v1alpha2/regions/"
	clustersV1     = "/k8s/v1/regions/"
)

func products() []product {
	return []product{
		{containersV1, worlds.ContainerRegions(), []string{"/containers", "/namespaces"}},
		{containersBeta, worlds.Regions(), []string{"/containers", "/namespaces"}},
		{jobsAlpha, worlds.Regions(), []string{"/job-definitions"}},
		{clustersV1, worlds.ContainerRegions(), []string{"/clusters"}},
	}
}

// parseProduct finds the other API that a path belongs to, if any.
func parseProduct(path string) route {
	for _, p := range products() {
		if rest, ok := strings.CutPrefix(path, p.prefix); ok {
			region, below, _ := strings.Cut(rest, "/")
			return route{region: region, product: &p, below: path, shape: "/" + below}
		}
	}
	return route{below: path}
}

// paths are the names that a fault can give to the path of a request.
func (rt route) paths() []string {
	if rt.product == nil || rt.shape == "/namespaces" { // the registry has that one already
		return []string{rt.below}
	}
	return []string{rt.below, rt.shape}
}

// reading answers a call that reads.
type reading func(*Server, *call) *answer

// actProduct answers a call to another API.
func (s *Server) actProduct(c *call) *answer {
	read, ok := s.products[c.route.below]
	switch {
	case !slices.Contains(c.route.product.regions, c.route.region):
		return s.problem(http.StatusNotImplemented, "message", quote("unknown service"))
	case !ok:
		return s.problem(http.StatusNotFound, "message", quote("not found"))
	case c.http.Method != http.MethodGet:
		return s.problem(http.StatusMethodNotAllowed, "message", quote("method not allowed"))
	}
	return read(s, c)
}

// listed answers with a page of the rows.
func listed[T row](l *listing[T]) reading {
	return func(s *Server, c *call) *answer {
		p := s.params(c, "created_at", "name")
		if p.bad != nil {
			return p.bad
		}
		name := strings.ReplaceAll(strings.TrimPrefix(c.route.shape, "/"), "-", "_")
		return page(s, c, p, name, rows(p, l))
	}
}

// workload is a container, a job definition or a namespace of containers, as one
// API lists it.
type workload struct {
	id         uuid
	name       string
	owner      uuid
	ownerField string
	image      string
	imageField string // "" for none
	region     string
	created    int64 // microseconds
}

func (x *workload) born() int64   { return x.created }
func (x *workload) title() string { return x.name }
func (x *workload) ref() string   { return x.name }

// write writes what the lists of all these APIs have in common.
func (x *workload) write(w *writer) {
	w.open("id").id(x.id)
	w.next("name").text(x.name)
	w.next(x.ownerField).id(x.owner)
	w.next("status").text(statusReady)
	if x.imageField != "" {
		w.next(x.imageField).text(x.image)
	}
	w.next("created_at").time(x.created)
	w.next("updated_at").time(x.created)
	w.next("region").text(x.region)
	w.raw("}")
}

// products makes what the other APIs answer, by the path. Nothing changes it later.
func (b *builder) products(w *worlds.World) map[string]reading {
	made, clusters := map[string][]*workload{}, map[string][]*cluster{}
	for i := range w.Containers {
		b.containers(&w.Containers[i], made)
	}
	for i := range w.Jobs {
		b.jobs(&w.Jobs[i], made)
	}
	for i := range w.Clusters {
		b.clusters(&w.Clusters[i], clusters)
	}
	answers := map[string]reading{}
	for _, p := range products() {
		for _, region := range p.regions {
			for _, below := range p.lists {
				path := p.prefix + region + below
				if p.prefix == clustersV1 {
					answers[path] = filled(clusters[path])
				} else {
					answers[path] = filled(made[path])
				}
			}
		}
	}
	for path, of := range clusters {
		for _, x := range of {
			answers[path+"/"+x.id.String()+"/kubeconfig"] = x.kubeconfig
		}
	}
	return answers
}

func filled[T row](rows []T) reading {
	l := new(listing[T])
	l.fill(rows)
	return listed(l)
}

func (b *builder) containers(entry *worlds.Container, made map[string][]*workload) {
	region, namespace := cmp.Or(entry.Region, worlds.Regions()[0]), cmp.Or(entry.Namespace, worlds.DefaultNamespace)
	within := &workload{id: identify("serverless", region, namespace), name: namespace, owner: b.owner, ownerField: "project_id", region: region, created: b.start}
	for prefix, field := range map[string]string{containersV1: "image", containersBeta: "registry_image"} {
		namespaces, containers := prefix+region+"/namespaces", prefix+region+"/containers"
		if !slices.ContainsFunc(made[namespaces], func(x *workload) bool { return x.id == within.id }) {
			made[namespaces] = append(made[namespaces], within)
		}
		for n := range worlds.Repeat(entry.Count) {
			name := worlds.Expand(entry.Name, entry.Count, n)
			made[containers] = append(made[containers], &workload{
				id: identify("container", region, namespace, name), name: name, owner: within.id, ownerField: "namespace_id",
				image: worlds.Expand(entry.Image, entry.Count, n), imageField: field, region: region, created: b.ago(entry.Age),
			})
		}
	}
}

func (b *builder) jobs(entry *worlds.Job, made map[string][]*workload) {
	region := cmp.Or(entry.Region, worlds.Regions()[0])
	path := jobsAlpha + region + "/job-definitions"
	for n := range worlds.Repeat(entry.Count) {
		name := worlds.Expand(entry.Name, entry.Count, n)
		made[path] = append(made[path], &workload{
			id: identify("job", region, name), name: name, owner: b.owner, ownerField: "project_id",
			image: worlds.Expand(entry.Image, entry.Count, n), imageField: "image_uri", region: region, created: b.ago(entry.Age),
		})
	}
}
