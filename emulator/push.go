package emulator

import (
	"fmt"
	"time"

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
	s.complete(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.record(now, func(behind *Server) { _ = behind.Push(region, namespace, image, tag, digestWord) })
	ref := fmt.Sprintf("rg.%s.scw.cloud/%s/%s:%s", region, namespace, image, tag)
	r, ok := s.regions[region]
	if !ok {
		return fmt.Errorf("push %s: the region does not exist", ref)
	}
	ns, ok := r.namespaces.find(namespace)
	if !ok || ns.leaving {
		return fmt.Errorf("push %s: the namespace does not exist", ref)
	}
	if image == "" || !worlds.ValidImage(image) || !worlds.ValidTag(tag) {
		return fmt.Errorf("push %s: the name is not valid", ref)
	}
	img, ok := ns.images.find(image)
	if ok && img.leaving {
		return fmt.Errorf("push %s: the image is being deleted", ref)
	}
	if !ok {
		img = s.addImage(ns, image, now)
	}
	s.pushTag(img, tag, digestWord, now)
	return nil
}

func (s *Server) addImage(ns *namespace, name string, now time.Time) *image {
	img := &image{name: name, namespace: ns, status: statusReady, visibility: visibilityInherit}
	img.id = s.newID(ns.region.name, ns.name, name)
	img.updated = microseconds(now)
	img.created = createdBefore(img.updated, img.id)
	ns.images.add(img)
	ns.region.images.add(img)
	ns.region.byImage[img.id] = img
	return img
}

func (s *Server) pushTag(img *image, name, word string, now time.Time) {
	t, ok := img.tags.find(name)
	if ok && t.leaving {
		s.dropTag(t)
		ok = false
	}
	if !ok {
		t = s.addTag(img, name, now)
	}
	d := digestOf(word)
	if word == "" {
		d = ownDigest(t)
	}
	img.resize(func() {
		if ok && t.status != statusDeleting && len(t.sharers()) == 0 {
			img.live -= t.size
		}
		t.digest = digest{}
		t.size = img.sizeOfDigest(d, name)
		t.digest = d
		if t.status != statusDeleting && len(t.sharers()) == 0 {
			img.live += t.size
		}
	})
	t.updated = microseconds(now)
	img.updated = t.updated
}

func (s *Server) addTag(img *image, name string, now time.Time) *tag {
	t := &tag{image: img, name: name, status: statusReady}
	t.id = s.newID(img.namespace.region.name, img.namespace.name, img.name, name)
	t.created = createdBefore(microseconds(now), t.id)
	img.tags.add(t)
	img.namespace.region.byTag[t.id] = t
	return t
}
