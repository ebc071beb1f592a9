package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// regionScan walks one region. Its fields belong to the goroutine of run; the
// workers only call deny.
type regionScan struct {
	*scan
	region registry.Region
	// ctx ends with the scan, or with the first refusal of the credentials.
	ctx    context.Context
	cancel context.CancelCauseFunc
	denial sync.Once

	namespaces map[string]*namespaceScan // by ID
	order      []*namespaceScan          // as listed
	strangers  map[string]bool           // namespaces of images that are not in the listing
	whole      bool                      // every image of the region was listed
}

// namespaceScan is what is known about one namespace.
type namespaceScan struct {
	namespace registry.Namespace
	inScope   bool // the namespace itself
	mayHold   bool // an image in it may be in scope
	announced bool // its Item is out
	listed    bool // a listing that covers it came to its end
	images    int  // listed so far, in scope or not
}

func newRegionScan(s *scan, region registry.Region) *regionScan {
	ctx, cancel := context.WithCancelCause(s.ctx)
	return &regionScan{
		scan: s, region: region, ctx: ctx, cancel: cancel, whole: true,
		namespaces: map[string]*namespaceScan{}, strangers: map[string]bool{},
	}
}

// run lists the namespaces and images of the region. It returns when the tags of
// every image are in the hands of a worker; the context lives on for those.
func (r *regionScan) run() {
	if err := r.listNamespaces(); err != nil {
		r.failed(registry.Ref{Region: r.region}, err)
		return
	}
	for _, n := range r.order {
		switch {
		case !n.inScope && !n.mayHold:
		case n.namespace.Status != registry.StatusReady:
			r.emit(Item{Skipped: skipped(&n.namespace, n.namespace.Ref(), n.namespace.Status)})
		case n.inScope:
			r.announce(n)
		}
	}
	for _, q := range r.imageQueries() {
		if r.ctx.Err() != nil {
			r.whole = false
			break
		}
		r.listImages(q)
	}
	for _, n := range r.order {
		if n.inScope && n.namespace.Status == registry.StatusReady {
			empty := r.whole && n.listed && n.images == 0 && n.namespace.ImageCount == 0
			r.emit(Item{Listed: &Listed{Namespace: &n.namespace, Empty: empty}})
		}
	}
}

// listNamespaces fills namespaces and order.
func (r *regionScan) listNamespaces() error {
	for _, q := range r.queries() {
		list, err := r.src.Namespaces(r.ctx, q)
		if err != nil {
			return err
		}
		for _, n := range list {
			if r.namespaces[n.ID] != nil {
				continue
			}
			state := &namespaceScan{namespace: n, inScope: r.globs.namespace(n.Name), mayHold: r.globs.mayHold(n.Name)}
			r.namespaces[n.ID] = state
			r.order = append(r.order, state)
		}
	}
	return nil
}

// queries are what makes the whole region as far as its owners are in scope.
func (r *regionScan) queries() []registry.Query {
	all := registry.Query{Region: r.region, OrganizationID: r.scope.OrganizationID}
	if len(r.scope.ProjectIDs) == 0 {
		return []registry.Query{all}
	}
	var queries []registry.Query
	for _, project := range sortedSet(r.scope.ProjectIDs) {
		q := all
		q.ProjectID = project
		queries = append(queries, q)
	}
	return queries
}

// failed reports that a listing of namespaces or images did not come, so that
// images may have gone unseen.
func (r *regionScan) failed(subject registry.Ref, err error) {
	r.whole = false
	if errors.Is(err, registry.ErrDenied) {
		r.deny(err)
		return
	}
	if r.ctx.Err() == nil {
		r.emit(Item{Gap: &registry.Gap{
			Subject: subject.String(), Error: err.Error(), Holds: registry.HoldsNamespaces, Region: r.region,
		}})
	}
}

// deny ends the region: the credentials that one request lacks, all others lack
// too. It is reported once, and may be called by any goroutine.
func (r *regionScan) deny(err error) {
	r.denial.Do(func() {
		r.emit(Item{Gap: &registry.Gap{
			Subject: registry.Ref{Region: r.region}.String(), Error: err.Error(), Holds: registry.HoldsNamespaces, Region: r.region,
		}})
		r.cancel(err)
	})
}

// announce emits a namespace, once, and before anything of it.
func (r *regionScan) announce(n *namespaceScan) {
	if !n.announced {
		n.announced = true
		r.emit(Item{Namespace: &n.namespace})
	}
}

// listImages streams the images of one query to the workers.
func (r *regionScan) listImages(q registry.Query) {
	for image, err := range r.src.Images(r.ctx, q) {
		if err != nil {
			subject := registry.Ref{Region: r.region}
			if n := r.namespaces[q.NamespaceID]; n != nil {
				subject = n.namespace.Ref()
			}
			r.failed(subject, err)
			return
		}
		n := r.namespaces[image.NamespaceID]
		if n == nil {
			r.stranger(&image)
			continue
		}
		n.images++
		if !r.visit(n, image) {
			r.whole = false
			return
		}
	}
	for _, n := range r.order {
		n.listed = n.listed || covers(q, &n.namespace)
	}
}

// visit hands a ready image in scope to the workers. It returns false when the
// region has ended meanwhile.
func (r *regionScan) visit(n *namespaceScan, image registry.Image) bool {
	if n.namespace.Status != registry.StatusReady || !r.globs.image(n.namespace.Name, image.Name) {
		return true
	}
	image.Namespace = &n.namespace
	if image.Status != registry.StatusReady {
		r.emit(Item{Skipped: skipped(&n.namespace, image.Ref(), image.Status)})
		return true
	}
	r.announce(n)
	select {
	case r.jobs <- job{region: r, image: &image}:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// stranger reports an image whose namespace the listing of namespaces did not
// show, once for each such namespace. It was most likely made since; its images
// cannot be judged, for nothing is known about it.
func (r *regionScan) stranger(image *registry.Image) {
	if r.strangers[image.NamespaceID] {
		return
	}
	r.strangers[image.NamespaceID] = true
	r.emit(Item{Gap: &registry.Gap{
		Subject: registry.Ref{Region: r.region}.String(),
		Error:   fmt.Sprintf("image %q (%s) belongs to namespace %s, which the listing of namespaces does not show: no image of that namespace was judged", image.Name, image.ID, image.NamespaceID),
		Holds:   registry.HoldsItself,
		Region:  r.region,
	}})
}

func skipped(n *registry.Namespace, ref registry.Ref, status registry.Status) *Skipped {
	return &Skipped{Ref: ref, Status: status, ProjectID: n.ProjectID, OrganizationID: n.OrganizationID}
}

// imageQueries lists the images of the region in as few calls as the counts of
// the namespaces promise: in one stream (one for each project in scope), or one
// namespace at a time where few of them matter.
func (r *regionScan) imageQueries() []registry.Query {
	var single []registry.Query
	singlePages := uint64(0)
	for _, n := range r.order {
		if r.mustList(n) {
			single = append(single, registry.Query{Region: r.region, NamespaceID: n.namespace.ID})
			singlePages += pages(n.namespace.ImageCount)
		}
	}
	streams := r.queries()
	streamPages := uint64(0)
	streams = slices.DeleteFunc(streams, func(q registry.Query) bool {
		images, needed := uint64(0), false
		for _, n := range r.order {
			if covers(q, &n.namespace) {
				images += n.namespace.ImageCount
				needed = needed || r.mustList(n)
			}
		}
		if needed {
			streamPages += pages(images)
		}
		return !needed
	})
	if singlePages < streamPages {
		return single
	}
	return streams
}

// mustList says whether the images of a namespace are needed: because they may
// be in scope, or to prove that a namespace in scope has none.
func (r *regionScan) mustList(n *namespaceScan) bool {
	return n.namespace.Status == registry.StatusReady && (n.mayHold || n.inScope && n.namespace.ImageCount == 0)
}

// covers says whether a listing of images shows those of a namespace.
func covers(q registry.Query, n *registry.Namespace) bool {
	return (q.NamespaceID == "" || sameID(q.NamespaceID, n.ID)) && (q.ProjectID == "" || sameID(q.ProjectID, n.ProjectID))
}

// pages is how many calls a listing of so many rows costs.
func pages(rows uint64) uint64 {
	const pageSize = 100
	return max(1, (rows+pageSize-1)/pageSize)
}
