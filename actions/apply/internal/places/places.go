// Package places knows the namespaces of a plan while it is applied. Its nouns:
//
//   - a place: one namespace. It is read once, together with the rows of its images
//     where listing them costs fewer calls than one request for each
//   - a row: what the API says of an image, without its tags
//
// It must never hand out a row that belongs to another image or namespace than the
// plan says, and it changes nothing.
package places

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	// deniedLimit is how many objects of a namespace may be denied in a row before
	// nothing more is tried in it.
	deniedLimit = 3
	// pageSize is how many images one call lists.
	pageSize = 100
)

// Reader is what places need of a registry.
type Reader interface {
	GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error)
	GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, time.Time, error)
	ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, time.Time, error)
}

// OtherError is the error of an ID that leads to another object than the plan says.
type OtherError struct{ Why string }

func (e *OtherError) Error() string { return "not what the plan says: " + e.Why }

// Places are the namespaces of a plan. They are safe for concurrent use.
type Places struct {
	ctx    context.Context // of every request
	reader Reader
	slot   func() (release func())
	mu     sync.Mutex
	all    map[registry.Ref]*Place
}

// New makes places whose requests end with ctx, and wait for a slot that they
// release afterwards.
func New(ctx context.Context, reader Reader, slot func() (release func())) *Places {
	return &Places{ctx: ctx, reader: reader, slot: slot, all: map[registry.Ref]*Place{}}
}

// Of is the place of a namespace, or of an image or a tag in it.
func (ps *Places) Of(ref registry.Ref) *Place {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ref = ref.WithoutImage()
	if ps.all[ref] == nil {
		ps.all[ref] = &Place{all: ps, ref: ref, wanted: map[string]bool{}, first: make(chan struct{}, 1)}
	}
	return ps.all[ref]
}

// Place is one namespace of a plan.
type Place struct {
	all    *Places
	ref    registry.Ref
	wanted map[string]bool // IDs of the images that the plan names

	first chan struct{} // held while the namespace is read for the first time

	mu        sync.Mutex
	namespace *registry.Namespace
	rows      map[string]registry.Image
	denied    map[string]bool // IDs of the objects that were denied since a change was last accepted
	succeeded bool            // a change was accepted
}

// Expect notes that an image will be asked for. Call it before any image is.
func (p *Place) Expect(id string) { p.wanted[id] = true }

// Image returns the row of an image and its namespace, which are those of its
// reference. The row may have been listed before.
func (p *Place) Image(ref registry.Ref, id string) (registry.Image, *registry.Namespace, error) {
	return p.image(ref, id, p.known)
}

// ReadImage is Image with a row that is read now.
func (p *Place) ReadImage(ref registry.Ref, id string) (registry.Image, *registry.Namespace, error) {
	return p.image(ref, id, func(string) (row registry.Image, known bool) { return row, false })
}

func (p *Place) image(ref registry.Ref, id string, known func(string) (registry.Image, bool)) (registry.Image, *registry.Namespace, error) {
	ns := p.knownNamespace()
	if ns == nil { // the first image reads the namespace for all
		select {
		case p.first <- struct{}{}:
			defer func() { <-p.first }()
		case <-p.all.ctx.Done():
			return registry.Image{}, nil, context.Cause(p.all.ctx)
		}
		ns = p.knownNamespace()
	}
	var err error
	row, ok := known(id)
	if !ok {
		if row, err = p.Read(id); err != nil {
			return registry.Image{}, nil, err
		}
	}
	if ns == nil {
		if ns, err = p.readNamespace(row.NamespaceID); err != nil {
			return registry.Image{}, nil, err
		}
	}
	switch {
	case row.NamespaceID != ns.ID:
		return row, ns, &OtherError{"its image is in another namespace (" + row.NamespaceID + ")"}
	case row.Name != ref.Image:
		return row, ns, &OtherError{"its image is named " + row.Name}
	}
	return row, ns, nil
}

func (p *Place) knownNamespace() *registry.Namespace {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.namespace
}

func (p *Place) known(id string) (row registry.Image, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row, known = p.rows[id]
	return row, known
}

// Read reads the row of an image, of whatever namespace.
func (p *Place) Read(id string) (registry.Image, error) {
	defer p.all.slot()()
	row, _, err := p.all.reader.GetImage(p.all.ctx, p.ref.Region, id)
	return row, err
}

// readNamespace reads the namespace, and its images where that pays. The caller holds
// p.first.
func (p *Place) readNamespace(id string) (*registry.Namespace, error) {
	defer p.all.slot()()
	ns, _, err := p.all.reader.GetNamespace(p.all.ctx, p.ref.Region, id)
	if err != nil {
		return nil, fmt.Errorf("its namespace could not be read: %w", err)
	}
	if ns.Name != p.ref.Namespace {
		return nil, &OtherError{"its image is in the namespace " + ns.Name}
	}
	rows := make(map[string]registry.Image)
	if uint64(len(p.wanted)) > ns.ImageCount/pageSize+1 {
		// Where the listing fails, each image is read by itself, and reports what is wrong.
		list, _, _ := p.all.reader.ListImages(p.all.ctx, p.ref.Region, ns.ID)
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

// Answered notes how the API answered to a request about an object.
func (p *Place) Answered(id string, err error) {
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

// IsDenied reports whether nothing more is tried in the namespace.
func (p *Place) IsDenied() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.denied) >= deniedLimit
}

// Works reports whether the API has accepted any change in the namespace.
func (p *Place) Works() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.succeeded
}
