package products

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// Products answer the calls to the other APIs.
type Products struct {
	Pages         *listing.Pages
	Owner, Tenant wire.UUID // project and organization of everything
	Start         int64     // microseconds; ages count from it

	rows    map[string][]*row  // of the lists, by path
	answers map[string]reading // by path
}

// Fill makes what the APIs answer for a world.
func (ps *Products) Fill(w *worlds.World) {
	ps.rows, ps.answers = map[string][]*row{}, map[string]reading{}
	for i := range w.Containers {
		ps.containers(&w.Containers[i])
	}
	for i := range w.Jobs {
		ps.jobs(&w.Jobs[i])
	}
	for i := range w.Clusters {
		ps.clusters(&w.Clusters[i])
	}
	for _, a := range apis() {
		for _, region := range a.regions {
			for _, below := range a.lists {
				path := a.prefix + region + below
				ps.answers[path] = listed(ps.rows[path])
			}
		}
	}
}

// Route is the path of a call to another API.
type Route struct {
	Region string
	Path   string
	Below  string // the path below the region, with its leading slash

	regions []string // of the API
}

// Find reads a path; not ok if no other API has it.
func Find(path string) (rt Route, ok bool) {
	for _, a := range apis() {
		if rest, ok := strings.CutPrefix(path, a.prefix); ok {
			region, below, _ := strings.Cut(rest, "/")
			return Route{region, path, "/" + below, a.regions}, true
		}
	}
	return rt, false
}

// Answer answers a call. fault is what goes wrong with it, or nil.
func (ps *Products) Answer(r *http.Request, rt *Route, fault *worlds.Fault) *wire.Answer {
	read, ok := ps.answers[rt.Path]
	switch {
	case !slices.Contains(rt.regions, rt.Region):
		return ps.Pages.API.Problem(http.StatusNotImplemented, "message", wire.Quote("unknown service"))
	case !ok:
		return ps.Pages.API.Problem(http.StatusNotFound, "message", wire.Quote("not found"))
	case r.Method != http.MethodGet:
		return ps.Pages.API.Problem(http.StatusMethodNotAllowed, "message", wire.Quote("method not allowed"))
	}
	return read(ps.Pages, r, rt, fault)
}

// reading answers a call that reads.
type reading func(*listing.Pages, *http.Request, *Route, *worlds.Fault) *wire.Answer

// api is one version of another API, of which some calls that read are here.
type api struct {
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

func apis() []api {
	return []api{
		{containersV1, worlds.ContainerRegions(), []string{"/containers", "/namespaces"}},
		{containersBeta, worlds.Regions(), []string{"/containers", "/namespaces"}},
		{jobsAlpha, worlds.Regions(), []string{"/job-definitions"}},
		{clustersV1, worlds.ContainerRegions(), []string{"/clusters"}},
	}
}

// row is an entry of a list.
type row struct {
	id      wire.UUID
	name    string
	created int64 // microseconds
	write   func(*wire.Writer)
}

func (x *row) Born() int64          { return x.created }
func (x *row) Title() string        { return x.name }
func (x *row) Ref() string          { return x.name }
func (x *row) Write(w *wire.Writer) { x.write(w) }

// listed answers with a page of the rows.
func listed(rows []*row) reading {
	l := new(listing.List[*row])
	l.Fill(rows)
	return func(pages *listing.Pages, r *http.Request, rt *Route, fault *worlds.Fault) *wire.Answer {
		q := pages.Query(r, "created_at", "name")
		if q.Bad != nil {
			return q.Bad
		}
		name := strings.ReplaceAll(strings.TrimPrefix(rt.Below, "/"), "-", "_")
		return listing.Page(q, fault, name, listing.Rows(q, l))
	}
}

func (ps *Products) ago(age time.Duration) int64 { return ps.Start - int64(age/time.Microsecond) }
