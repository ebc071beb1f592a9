package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// deniedLimit is how many objects of a namespace may be denied in a row before
// nothing more is tried in it.
const deniedLimit = 3

// places are the namespaces of a plan. Each is read once, and its images are listed
// together where that costs fewer calls than one request for each.
type places struct {
	run *run
	mu  sync.Mutex
	all map[registry.Ref]*place
}

// place is one namespace of a plan.
type place struct {
	wanted map[string]bool // IDs of the images that the plan names

	first chan struct{} // held while the namespace is read for the first time

	mu        sync.Mutex
	namespace *registry.Namespace
	rows      map[string]registry.Image
	denied    map[string]bool // IDs of the objects that were denied since a change was last accepted
	succeeded bool            // a change was accepted
}

func newPlaces(r *run) *places { return &places{run: r, all: map[registry.Ref]*place{}} }

// expect notes which images will be asked for.
func (ps *places) expect(images []*image) {
	for _, img := range images {
		ps.of(img.region, img.namespace).wanted[img.id] = true
	}
}

func (ps *places) of(region registry.Region, name string) *place {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ref := registry.Ref{Region: region, Namespace: name}
	if ps.all[ref] == nil {
		ps.all[ref] = &place{wanted: map[string]bool{}, first: make(chan struct{}, 1)}
	}
	return ps.all[ref]
}

// errOther: an ID leads to another object than its step says.
var errOther = errors.New("not what the plan says")

// image reads the row of an image and its namespace, and checks that they are those
// that the plan names. The row may have been listed before; fresh asks for it now.
func (ps *places) image(img *image, fresh bool) (registry.Image, *registry.Namespace, error) {
	p := ps.of(img.region, img.namespace)
	ns, row, known := p.known(img.id)
	if ns == nil { // the first image reads the namespace for all
		select {
		case p.first <- struct{}{}:
			defer func() { <-p.first }()
		case <-ps.run.calls.Done():
			return registry.Image{}, nil, context.Cause(ps.run.calls)
		}
		ns, row, known = p.known(img.id)
	}
	if !known || fresh {
		var err error
		if row, err = ps.get(img.region, img.id); err != nil {
			return registry.Image{}, nil, err
		}
	}
	if ns == nil {
		var err error
		if ns, err = ps.namespace(p, img, row.NamespaceID); err != nil {
			return registry.Image{}, nil, err
		}
	}
	switch {
	case row.NamespaceID != ns.ID:
		return row, ns, fmt.Errorf("%w: its image is in another namespace (%s)", errOther, row.NamespaceID)
	case row.Name != img.name:
		return row, ns, fmt.Errorf("%w: its image is named %s", errOther, row.Name)
	}
	return row, ns, nil
}

// known is what has been read of the namespace and of one of its images.
func (p *place) known(id string) (ns *registry.Namespace, row registry.Image, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row, known = p.rows[id]
	return p.namespace, row, known
}

func (ps *places) get(region registry.Region, id string) (registry.Image, error) {
	defer ps.run.slot()()
	row, _, err := ps.run.Registry.GetImage(ps.run.calls, region, id)
	return row, err
}

// namespace reads the namespace of a place, and its images where that pays. The
// caller holds p.first.
func (ps *places) namespace(p *place, img *image, id string) (*registry.Namespace, error) {
	r := ps.run
	defer r.slot()()
	ns, _, err := r.Registry.GetNamespace(r.calls, img.region, id)
	if err != nil {
		return nil, fmt.Errorf("its namespace could not be read: %w", err)
	}
	if ns.Name != img.namespace {
		return nil, fmt.Errorf("%w: its image is in the namespace %s", errOther, ns.Name)
	}
	rows := make(map[string]registry.Image)
	if uint64(len(p.wanted)) > ns.ImageCount/pageSize+1 {
		// Where the listing fails, each image is read by itself, and reports what is wrong.
		list, _, _ := r.Registry.ListImages(r.calls, img.region, ns.ID)
		for _, row := range list {
			if p.wanted[row.ID] {
				rows[row.ID] = row
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.namespace, p.rows = &ns, rows
	return &ns, nil
}

// answered notes how the API answered to a request about an object.
func (p *place) answered(id string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.succeeded, p.denied = true, nil
	case errors.Is(err, registry.ErrDenied):
		if p.denied == nil {
			p.denied = map[string]bool{}
		}
		p.denied[id] = true
	}
}

// isDenied reports whether nothing more is tried in the namespace.
func (p *place) isDenied() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.denied) >= deniedLimit
}

// works reports whether the API has accepted any change in the namespace.
func (p *place) works() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.succeeded
}
