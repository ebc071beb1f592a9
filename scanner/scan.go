package scanner

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Source is a registry to walk. Its errors wrap those of package registry.
type Source interface {
	// Namespaces lists all namespaces that q asks for, or fails.
	Namespaces(ctx context.Context, q registry.Query) ([]registry.Namespace, error)
	// Images lists all images that q asks for, with NamespaceID set and Namespace nil.
	// IDs are unique; an error ends the sequence, which is incomplete then.
	Images(ctx context.Context, q registry.Query) iter.Seq2[registry.Image, error]
	// Image reads one image, with NamespaceID set and Namespace nil.
	Image(ctx context.Context, region registry.Region, imageID string) (registry.Image, error)
	// Tags lists all tags of an image, in any order, or fails.
	Tags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, error)
}

// Options are what to scan, and how.
type Options struct {
	// Scope is what to scan; the zero value is everything.
	Scope Scope
	// Cache remembers the tags of images that have not changed; nil remembers none.
	Cache Cache
	// Concurrency is how many requests the source has in flight at once, over all
	// regions; 16 if it is not positive. The scan works on half as many images more,
	// so that requests go on while an answer is decoded, and as many finished ones as
	// Concurrency may wait for the receiver. A source must itself bound its requests.
	Concurrency int
}

// Item is one finding of a scan. Exactly one field is set, Relist aside.
type Item struct {
	// Namespace is a ready namespace that is in scope, or has images that are. It comes
	// once, before its images.
	Namespace *registry.Namespace
	// Image is a ready image in scope, with its namespace and all its tags.
	Image *registry.Image
	// Relist is set if the tags of Image come from the cache. It lists them now, and
	// returns the finding: an Image, something Skipped, or a Gap. Anything that changes
	// the image must rely on that.
	Relist func(context.Context) Item
	// Quiet is an image in which nothing is to be done.
	Quiet *Quiet
	// Listed comes once for each ready namespace in scope, when its images are listed
	// (but not necessarily streamed): the time to judge the namespace.
	Listed *Listed
	// Skipped is an object in scope that cannot be judged now.
	Skipped *Skipped
	// Use is a use of a tag or a digest.
	Use *registry.Use
	// Gap is something that could not be read.
	Gap *registry.Gap
}

// Listed is what the image listing shows about a namespace itself.
type Listed struct {
	Namespace *registry.Namespace
	// Empty: a complete listing, whatever the globs of the scope, shows no image in it,
	// and the namespace counts neither images nor bytes. It is false if the listing
	// failed, or if it shows nothing and the namespace still counts something, for both
	// of which there is a Gap.
	Empty bool
}

// Skipped is a namespace or an image that is left out because of its status:
// anything other than ready, or StatusGone.
type Skipped struct {
	Ref    registry.Ref
	Status registry.Status
	// ProjectID and OrganizationID are the owners of the namespace.
	ProjectID      string
	OrganizationID string
}

// StatusGone is the status of an image that was deleted between the listing of the
// images and that of its tags. The API does not have this status.
const StatusGone registry.Status = "gone"

// Stream is a sequence of items for any number of concurrent receivers. They come in
// the order of arrival; their content does not depend on it.
type Stream struct {
	items chan Item
	err   error
}

// Items delivers the items, and is closed after the last one. Receive until then, or
// cancel the context that the stream was started with.
func (s *Stream) Items() <-chan Item { return s.items }

// Err returns, once Items is closed, why the stream ended before it was complete; nil
// if it was. With an error, nothing that was received may be relied on.
func (s *Stream) Err() error { return s.err }

// Scan walks src. Everything that cannot be read is a Gap in the stream; the stream itself
// fails only for an invalid scope, or because ctx ends.
//
// Regions are walked concurrently. Within one, namespaces are listed first, then
// images, and then the tags of each image by a worker. A region that fails leaves
// the others complete, and so does a project, a namespace or an image that the API
// denies. Refused credentials end a region at once, and leave nothing certain.
func Scan(ctx context.Context, src Source, o Options) *Stream {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	stream := &Stream{items: make(chan Item, o.Concurrency)}
	if err := o.Scope.Validate(); err != nil {
		stream.err = err
		close(stream.items)
		return stream
	}
	go func() {
		defer close(stream.items)
		all, cancel := context.WithCancel(ctx)
		defer cancel()
		s := &scan{ctx: all, src: src, scope: o.Scope, cache: o.Cache, out: stream.items, jobs: make(chan job)}
		s.run(o.Concurrency)
		stream.err = ended(ctx)
	}()
	return stream
}

// scan is what all regions of one scan share.
type scan struct {
	ctx   context.Context
	src   Source
	scope Scope
	cache Cache // nil without one
	out   chan<- Item
	jobs  chan job
}

// run walks all regions, and returns when every worker is done.
func (s *scan) run(concurrency int) {
	var workers, regions sync.WaitGroup
	for range concurrency + (concurrency+1)/2 {
		workers.Go(func() {
			for j := range s.jobs {
				contained(j.run, func(err error) { s.emit(j.gap(err)) })
			}
		})
	}
	for _, region := range s.scope.regions() {
		regions.Go(func() {
			contained(newRegionScan(s, region).run, func(err error) {
				s.emit(Item{Gap: &registry.Gap{Subject: string(region), Error: err.Error(), Holds: registry.HoldsAll, Region: region}})
			})
		})
	}
	for _, region := range s.scope.left() {
		regions.Go(func() { contained(newRegionScan(s, region).probe, func(error) {}) })
	}
	regions.Wait()
	close(s.jobs)
	workers.Wait()
}

// contained turns a bug in f into a gap: what f was to read is not known then, and
// everything else is.
func contained(f func(), gap func(error)) {
	defer func() {
		if p := recover(); p != nil {
			gap(fmt.Errorf("a bug in the program: panic: %v", p))
		}
	}()
	f()
}

// ended returns why ctx ended, if it did. The error is one of package context too.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// emit delivers an item, unless the scan was stopped.
func (s *scan) emit(item Item) {
	select {
	case s.out <- item:
	case <-s.ctx.Done():
	}
}
