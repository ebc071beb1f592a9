package emulator

import (
	"math"
	"slices"
	"time"
)

// deletion is something in status deleting that will be gone at a moment.
type deletion struct {
	at        int64 // nanoseconds
	namespace *namespace
	image     *image
	tag       *tag
}

// settle completes the deletions that are due. It is called on every access, in
// place of a worker: nothing is seen between two accesses.
func (s *Server) settle(now time.Time) {
	if now.UnixNano() < s.nextDue.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	done := 0
	for _, d := range s.due {
		if d.at > now.UnixNano() {
			break
		}
		s.complete(d)
		done++
	}
	s.due = slices.Delete(s.due, 0, done)
	s.planSettling()
}

// planSettling says when settle has something to do. The caller holds s.mu.
func (s *Server) planSettling() {
	next := int64(math.MaxInt64)
	if len(s.due) > 0 {
		next = s.due[0].at
	}
	s.nextDue.Store(next)
}

func (s *Server) schedule(d deletion, now time.Time) {
	d.at = now.Add(s.settings.DeleteDelay).UnixNano()
	at, _ := slices.BinarySearchFunc(s.due, d.at+1, func(d deletion, at int64) int { return int(min(1, max(-1, d.at-at))) })
	s.due = slices.Insert(s.due, at, d)
	s.planSettling()
}

// deleteTag begins the deletion of a tag: its size is gone at once, its row
// stays until the deletion completes. The caller holds s.mu.
func (s *Server) deleteTag(t *tag, now time.Time) {
	t.image.resize(func() {
		if t.status != statusDeleting && len(t.sharers()) == 0 {
			t.image.live -= t.size
		}
		t.status = statusDeleting
	})
	t.deleted = true
	t.updated = microseconds(now)
	s.schedule(deletion{tag: t}, now)
}

func (s *Server) deleteImage(i *image, now time.Time) {
	i.resize(func() {
		i.status = statusDeleting
		i.deleted = true
	})
	i.updated = microseconds(now)
	s.schedule(deletion{image: i}, now)
}

func (s *Server) deleteNamespace(n *namespace, now time.Time) {
	n.status = statusDeleting
	n.deleted = true
	n.size = 0
	n.updated = microseconds(now)
	s.schedule(deletion{namespace: n}, now)
}

// complete takes out what is due, unless it went with something larger.
func (s *Server) complete(d deletion) {
	switch {
	case d.tag != nil:
		s.dropTag(d.tag)
	case d.image != nil:
		s.dropImage(d.image)
	default:
		s.dropNamespace(d.namespace)
	}
}

func (s *Server) dropTag(t *tag) {
	img := t.image
	r := img.namespace.region
	if r.byTag[t.id] != t {
		return
	}
	img.tags.remove(t)
	s.forget(t.id)
	delete(r.byTag, t.id)
	if len(img.tags.rows) == 0 && s.settings.EmptyImages == emptyRemove {
		s.dropImage(img)
	}
}

func (s *Server) dropImage(i *image) {
	r := i.namespace.region
	if r.byImage[i.id] != i {
		return
	}
	for _, t := range i.tags.rows {
		s.forget(t.id)
		delete(r.byTag, t.id)
	}
	i.namespace.size -= i.size()
	i.namespace.images.remove(i)
	r.images.remove(i)
	s.forget(i.id)
	delete(r.byImage, i.id)
}

func (s *Server) dropNamespace(n *namespace) {
	if n.region.byNamespace[n.id] != n {
		return
	}
	for _, i := range slices.Clone(n.images.rows) {
		s.dropImage(i)
	}
	n.region.namespaces.remove(n)
	s.forget(n.id)
	delete(n.region.byNamespace, n.id)
}

// forget remembers that an identifier was used up, so that what is made under
// the same name later is something new.
func (s *Server) forget(id uuid) { s.used[id] = true }

// newID is the identifier of something made after the start.
func (s *Server) newID(names ...string) uuid {
	id := identify(names...)
	for s.used[id] {
		id = identify(id.String())
	}
	return id
}
