package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// regionScan walks one region. Its fields belong to the goroutine of run; the
// workers only call refuse.
type regionScan struct {
	*scan
	region registry.Region
	// ctx ends with the scan, or when the credentials are refused.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	refused sync.Once

	namespaces map[string]*namespaceScan // by ID
	order      []*namespaceScan          // as listed
	unlisted   map[string]bool           // namespaces of images that the listing of namespaces lacks
	batch      []*registry.Image         // for the workers
	complete   bool                      // no image of the region was missed, except where the API denies access
}

// namespaceScan is the state of one namespace.
type namespaceScan struct {
	namespace registry.Namespace
	inScope   bool // the namespace itself
	mayHold   bool // an image in it may be in scope
	emitted   bool // its Item was emitted
	listed    bool // a listing that covers it was read to its end
	images    int  // listed so far, in scope or not
}

func newRegionScan(s *scan, region registry.Region) *regionScan {
	ctx, cancel := context.WithCancelCause(s.ctx)
	return &regionScan{
		scan: s, region: region, ctx: ctx, cancel: cancel, complete: true,
		namespaces: map[string]*namespaceScan{}, unlisted: map[string]bool{},
	}
}

// run lists the namespaces and images of the region. It returns when every image was
// passed to a worker; the context must outlive them.
func (r *regionScan) run() {
	r.listNamespaces()
	for _, n := range r.order {
		switch {
		case !n.inScope && !n.mayHold:
		case n.namespace.Status != registry.StatusReady:
			r.emit(Item{Skipped: skipped(&n.namespace, n.namespace.Ref(), n.namespace.Status)})
		case n.inScope:
			r.emitNamespace(n)
		}
	}
	for _, q := range r.imageQueries() {
		if r.ctx.Err() != nil {
			r.complete = false
			break
		}
		r.listImages(q)
	}
	for _, n := range r.order {
		empty := r.isEmpty(n)
		if n.inScope && n.namespace.Status == registry.StatusReady {
			r.emit(Item{Listed: &Listed{Namespace: &n.namespace, Empty: empty}})
		}
	}
}

// probe finds out whether a region that is left out refuses the credentials.
func (r *regionScan) probe() {
	_, err := r.src.Namespaces(r.ctx, r.queries()[0])
	if errors.Is(err, registry.ErrUnauthenticated) {
		r.refuse(err)
	}
}

// isEmpty reports whether a namespace is proven to be empty: a complete listing shows
// no image in it, and the namespace counts neither images nor bytes. If it does, it is
// read again, since they may be gone by then; if it still does, an image was missed.
func (r *regionScan) isEmpty(n *namespaceScan) bool {
	ns := &n.namespace
	if !r.complete || !n.listed || n.images > 0 || ns.Status != registry.StatusReady || !n.inScope && !n.mayHold {
		return false
	}
	if ns.ImageCount == 0 && ns.SizeBytes == 0 {
		return true
	}
	list, err := r.src.Namespaces(r.ctx, registry.Query{Region: r.region, Name: ns.Name})
	at := slices.IndexFunc(list, func(fresh registry.Namespace) bool { return sameID(fresh.ID, ns.ID) })
	if err == nil && at >= 0 && list[at].Status == registry.StatusReady && (list[at].ImageCount > 0 || list[at].SizeBytes > 0) {
		err = fmt.Errorf("its image listing is empty, but the namespace counts %s and %s",
			text.Count(int(min(list[at].ImageCount, 1<<31)), "image"), text.Size(list[at].SizeBytes))
	}
	if errors.Is(err, registry.ErrUnauthenticated) {
		r.refuse(err)
	} else if err != nil && r.ctx.Err() == nil {
		r.emit(Item{Gap: &registry.Gap{Subject: ns.Ref().String(), Error: err.Error(), Holds: registry.HoldsItself, Region: r.region}})
	}
	return false
}

// listNamespaces fills namespaces and order.
func (r *regionScan) listNamespaces() {
	for _, q := range r.queries() {
		list, err := r.src.Namespaces(r.ctx, q)
		if err != nil {
			r.failed(q, err)
			continue
		}
		for _, n := range list {
			if r.namespaces[n.ID] != nil {
				continue
			}
			state := &namespaceScan{namespace: n, inScope: r.scope.holdsNamespace(n.Name), mayHold: r.scope.mayHoldImages(n.Name)}
			r.namespaces[n.ID] = state
			r.order = append(r.order, state)
		}
	}
}

// queries list the region, as far as its owners are in scope.
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

// failed reports that a listing of namespaces or images failed, so that images may
// have been missed. If the API denies access, only what was asked for is missing: the
// other projects and namespaces are read as if they were alone.
func (r *regionScan) failed(q registry.Query, err error) {
	if errors.Is(err, registry.ErrUnauthenticated) {
		r.refuse(err)
		return
	}
	if r.ctx.Err() != nil {
		return
	}
	gap := registry.Gap{Subject: registry.Ref{Region: r.region}.String(), Error: err.Error(), Holds: registry.HoldsNamespaces, Region: r.region}
	n, denied := r.namespaces[q.NamespaceID], errors.Is(err, registry.ErrDenied)
	if n != nil {
		gap.Subject = n.namespace.Ref().String()
	} else if denied && q.ProjectID != "" {
		gap.Subject = fmt.Sprintf("project %s in %s", q.ProjectID, r.region)
	}
	if denied && (n != nil || q.ProjectID != "") {
		gap.Holds = registry.HoldsItself
	} else {
		r.complete = false
	}
	r.emit(Item{Gap: &gap})
}

// refuse ends the region: credentials that are refused for one request are refused
// for all, so that nothing is certain any more. It reports that once, and may be
// called by any goroutine.
func (r *regionScan) refuse(err error) {
	r.refused.Do(func() {
		r.emit(r.refusal(err))
		r.cancel(err)
	})
}

func (r *regionScan) refusal(err error) Item {
	return Item{Gap: &registry.Gap{Subject: registry.Ref{Region: r.region}.String(), Error: err.Error(), Holds: registry.HoldsAll, Refused: true}}
}

// emitNamespace emits a namespace, once, and before its images.
func (r *regionScan) emitNamespace(n *namespaceScan) {
	if !n.emitted {
		n.emitted = true
		r.emit(Item{Namespace: &n.namespace})
	}
}

// listImages streams the images of one query to the workers.
func (r *regionScan) listImages(q registry.Query) {
	for image, err := range r.src.Images(r.ctx, q) {
		if err != nil {
			r.dispatch()
			r.failed(q, err)
			return
		}
		n := r.namespaces[image.NamespaceID]
		if n == nil {
			r.reportUnlisted(&image)
			continue
		}
		n.images++
		r.visit(n, image)
		if len(r.batch) >= batchSize && !r.dispatch() {
			return
		}
	}
	if !r.dispatch() {
		return
	}
	for _, n := range r.order {
		n.listed = n.listed || covers(q, &n.namespace)
	}
}

// visit adds a ready image in scope to those that the workers get next.
func (r *regionScan) visit(n *namespaceScan, image registry.Image) {
	if n.namespace.Status != registry.StatusReady || !r.scope.holdsImage(n.namespace.Name, image.Name) {
		return
	}
	image.Namespace = &n.namespace
	if image.Status != registry.StatusReady {
		r.emit(Item{Skipped: skipped(&n.namespace, image.Ref(), image.Status)})
		return
	}
	r.emitNamespace(n)
	r.batch = append(r.batch, &image)
}

// dispatch passes the images of the batch to the workers, with the tags that the cache
// has. It returns false if the region has ended meanwhile.
func (r *regionScan) dispatch() bool {
	cached := make([]*Known, len(r.batch))
	if r.cache != nil && len(r.batch) > 0 {
		cached = r.cache.Find(r.ctx, r.batch)
	}
	for i, image := range r.batch {
		select {
		case r.jobs <- job{region: r, image: image, cached: cached[i]}:
		case <-r.ctx.Done():
			r.complete = false
			return false
		}
	}
	r.batch = r.batch[:0]
	return true
}

// reportUnlisted reports an image whose namespace the listing of namespaces lacks,
// once for each such namespace. The namespace was most likely made since. Its images
// cannot be judged, since nothing is known about it.
func (r *regionScan) reportUnlisted(image *registry.Image) {
	if r.unlisted[image.NamespaceID] {
		return
	}
	r.unlisted[image.NamespaceID] = true
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

// imageQueries lists the images of the region in as few calls as the counts of the
// namespaces allow: in one stream (one for each project in scope), or one namespace
// at a time if few of them matter.
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

// mustList reports whether the images of a namespace are needed: because they may
// be in scope, or to prove that a namespace in scope has none.
func (r *regionScan) mustList(n *namespaceScan) bool {
	return n.namespace.Status == registry.StatusReady && (n.mayHold || n.inScope && n.namespace.ImageCount == 0)
}

// covers reports whether a listing of images shows those of a namespace.
func covers(q registry.Query, n *registry.Namespace) bool {
	return (q.NamespaceID == "" || sameID(q.NamespaceID, n.ID)) && (q.ProjectID == "" || sameID(q.ProjectID, n.ProjectID))
}

// pages is how many calls a listing of that many rows needs.
func pages(rows uint64) uint64 {
	const pageSize = 100
	return max(1, (rows+pageSize-1)/pageSize)
}
