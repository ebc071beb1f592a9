package emulator

import (
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/recipes"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// Push does what a docker push does: it makes the image and the tag if they do not
// exist, and moves the tag if it does. A moved tag keeps its id and its created_at;
// its digest and its updated_at change (updated_at even if the digest is the same).
// A tag that is being deleted is made again.
//
// digestWord is a word as in [worlds.Tag], and "" a digest that no other tag has.
// The namespace must exist.
func (s *Server) Push(region, namespace, image, tag, digestWord string) error {
	return s.push(Manifest{Region: region, Namespace: namespace, Image: image, Tag: tag, word: digestWord})
}

// Manifest is one that a client pushes by a tag.
type Manifest struct {
	Region, Namespace, Image, Tag string
	Digest                        digest
	Blobs                         []Blob // of an index, those of its parts

	word string // in place of a digest
}

// PushManifest does what Push does, with a manifest.
func (s *Server) PushManifest(m Manifest) error {
	if m.Blobs == nil {
		m.Blobs = []Blob{} // which distinguishes it from a word
	}
	return s.push(m)
}

// Errors of a push.
var (
	// ErrNoNamespace means that the namespace does not exist.
	ErrNoNamespace = errors.New("the namespace does not exist")
	// ErrDeleting means that the image is being deleted.
	ErrDeleting = errors.New("the image is being deleted")
	// ErrName means that an image or a tag cannot have that name.
	ErrName = errors.New("the name is not valid")
)

func (s *Server) push(m Manifest) error {
	s.complete(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.record(now, func(behind *Server) { _ = behind.push(m) })
	fail := func(err error) error {
		return fmt.Errorf("push rg.%s.scw.cloud/%s/%s:%s: %w", m.Region, m.Namespace, m.Image, m.Tag, err)
	}
	r, ok := s.regions[m.Region]
	if !ok {
		return fail(errors.New("the region does not exist"))
	}
	ns, ok := r.namespaces.Find(m.Namespace)
	if !ok || ns.leaving {
		return fail(ErrNoNamespace)
	}
	if !worlds.ValidImage(m.Image) || !worlds.ValidTag(m.Tag) {
		return fail(ErrName)
	}
	img, ok := ns.images.Find(m.Image)
	if ok && img.leaving {
		return fail(ErrDeleting)
	}
	if !ok {
		img = s.addImage(ns, m.Image, now)
	}
	s.pushTag(img, m, now)
	return nil
}

func (s *Server) addImage(ns *namespace, name string, now time.Time) *image {
	img := &image{name: name, namespace: ns, status: statusReady, visibility: visibilityInherit}
	img.id = s.newID(ns.region.name, ns.name, name)
	img.updated = wire.Microseconds(now)
	img.created = createdBefore(img.updated, img.id)
	ns.images.Add(img)
	ns.region.images.Add(img)
	ns.region.byImage[img.id] = img
	return img
}

func (s *Server) pushTag(img *image, m Manifest, now time.Time) {
	img.makeDigests()
	if m.Blobs != nil {
		img.shareBlobs()
	}
	t, ok := img.tags.Find(m.Tag)
	if ok && t.leaving {
		s.dropTag(t)
		ok = false
	}
	if !ok {
		t = s.addTag(img, m.Tag, now)
	}
	img.resize(func() {
		if ok && t.status != statusDeleting && len(t.sharers()) == 0 {
			img.live -= t.size
		}
		s.hold(t, m)
		if t.status != statusDeleting && len(t.sharers()) == 0 {
			img.live += t.size
		}
	})
	t.updated = wire.Microseconds(now)
	img.updated = t.updated
}

// hold puts what was pushed under a tag.
func (s *Server) hold(t *tag, m Manifest) {
	t.n = 0
	if m.Blobs == nil {
		t.entry = &worlds.Tag{Name: t.name, Digest: m.word}
		seed := t.held().Seed()
		t.digest = digest{}
		d := s.contents.Digest(t.held(), seed)
		t.size = t.image.sizeOf(d, recipes.MadeUpSize(seed, t.name))
		t.digest = d
		return
	}
	if t.image.pushed == nil {
		t.image.pushed = map[digest][]Blob{}
	}
	t.image.pushed[m.Digest] = m.Blobs
	t.entry, t.digest, t.size = nil, m.Digest, 0
	for _, b := range m.Blobs {
		t.size += b.Size
	}
}

// sizeOf is the size that the tags of the image have for a digest, and otherwise if no
// tag has it.
func (i *image) sizeOf(d digest, otherwise int64) int64 {
	for _, t := range i.tags.Rows {
		if t.digest == d {
			return t.size
		}
	}
	return otherwise
}

func (s *Server) addTag(img *image, name string, now time.Time) *tag {
	t := &tag{image: img, name: name, status: statusReady}
	t.id = s.newID(img.namespace.region.name, img.namespace.name, img.name, name)
	t.created = createdBefore(wire.Microseconds(now), t.id)
	img.tags.Add(t)
	img.namespace.region.byTag[t.id] = t
	return t
}
