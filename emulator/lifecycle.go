package emulator

import (
	"math"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

// deletion is what drops something in status deleting when its time has come.
type deletion struct {
	at   int64 // nanoseconds
	drop func()
}

// complete finishes the deletions that are due. Every access calls it, in place of
// a worker: no client sees anything between two accesses.
func (s *Server) complete(now time.Time) {
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
		d.drop()
		done++
	}
	s.due = slices.Delete(s.due, 0, done)
	s.planCompletion()
}

// planCompletion records when complete has something to do. The caller holds s.mu.
func (s *Server) planCompletion() {
	next := int64(math.MaxInt64)
	if len(s.due) > 0 {
		next = s.due[0].at
	}
	s.nextDue.Store(next)
}

// begin begins a deletion: mark shows the object as deleting until drop removes it.
// A slow deletion shows it unchanged until then.
func (s *Server) begin(c *call, mark, drop func()) {
	if slow := c.slow(); slow > 0 {
		s.schedule(drop, c.at.Add(slow))
		return
	}
	mark()
	s.schedule(drop, c.at.Add(s.settings.DeleteDelay))
}

// slow is how long after its answer a deletion happens, if a fault delays it.
func (c *call) slow() time.Duration {
	if c.fault == nil {
		return 0
	}
	return c.fault.SlowDelete
}

func (s *Server) schedule(drop func(), at time.Time) {
	d := deletion{at: at.UnixNano(), drop: drop}
	i, _ := slices.BinarySearchFunc(s.due, d.at+1, func(d deletion, at int64) int { return int(min(1, max(-1, d.at-at))) })
	s.due = slices.Insert(s.due, i, d)
	s.planCompletion()
}

// dropTag removes a tag, unless it went with its image.
func (s *Server) dropTag(t *tag) {
	img := t.image
	r := img.namespace.region
	if r.byTag[t.id] != t {
		return
	}
	t.shrink()
	img.tags.Remove(t)
	s.forget(t.id)
	delete(r.byTag, t.id)
	if len(img.tags.Rows) == 0 && s.settings.EmptyImages == "remove" {
		s.dropImage(img)
	}
}

// dropImage removes an image, unless it went with its namespace.
func (s *Server) dropImage(i *image) {
	r := i.namespace.region
	if r.byImage[i.id] != i {
		return
	}
	for _, t := range i.tags.Rows {
		s.forget(t.id)
		delete(r.byTag, t.id)
	}
	i.namespace.size -= i.size()
	i.namespace.images.Remove(i)
	r.images.Remove(i)
	s.forget(i.id)
	delete(r.byImage, i.id)
}

func (s *Server) dropNamespace(n *namespace) {
	if n.region.byNamespace[n.id] != n {
		return
	}
	for _, i := range slices.Clone(n.images.Rows) {
		s.dropImage(i)
	}
	n.region.namespaces.Remove(n)
	s.forget(n.id)
	delete(n.region.byNamespace, n.id)
}

// forget remembers that an identifier was used, so that what is made under the
// same name later is something new.
func (s *Server) forget(id wire.UUID) { s.used[id] = true }

// newID is the identifier of something made after the start.
func (s *Server) newID(names ...string) wire.UUID {
	id := wire.Identify(names...)
	for s.used[id] {
		id = wire.Identify(id.String())
	}
	return id
}
