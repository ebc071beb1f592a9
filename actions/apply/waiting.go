package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/copies"
	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// copiesAhead is how many copies are made at once for each request in flight: a copy is
// several requests.
const copiesAhead = 8

// copying makes the queue of an image; nil without an archive.
func (r *run) copying(steps []int) *copies.Queue {
	if r.Archive == nil {
		return nil
	}
	return copies.NewQueue(r.awake, r.copies, func(ctx context.Context, s *actions.Step) (a *actions.Archived, err error) {
		err = errors.New("a bug in the program")
		r.contain(steps, func() { a, err = r.Archive.Copy(ctx, s) })
		return a, err
	})
}

// lack is what keeps another reading from being worth its calls.
type lack struct {
	deletions int            // how many more must be ready to be sent
	uncopied  map[string]int // pending steps of each digest without a copy
	copied    map[string]int // and with one, not sent: ready once none is without
}

// lacking is how much is to be copied before another reading. Enough are as many deletions
// as are sent while the image is listed. Once nothing more is sent, nothing is copied.
func (w *reconciler) lacking() *lack {
	l := &lack{uncopied: map[string]int{}, copied: map[string]int{}}
	if !w.copies.IsMaking() || w.r.awake.Err() != nil {
		return l
	}
	l.deletions = w.r.o.Concurrency * w.last.pages()
	if w.r.isCanary() {
		l.deletions = 1
	}
	for _, st := range w.pending {
		switch {
		case w.copies.Of(st.Step).State != copies.Made:
			l.uncopied[st.Digest]++
		case !st.sent():
			l.copied[st.Digest]++
		}
	}
	for digest, n := range l.copied {
		if l.uncopied[digest] == 0 {
			l.deletions -= n
		}
	}
	return l
}

// add takes account of one more copy, made or failed.
func (l *lack) add(digest string) {
	l.copied[digest]++
	if l.uncopied[digest]--; l.uncopied[digest] == 0 {
		l.deletions -= l.copied[digest]
	}
}

// await waits for copies, and lets other images go on meanwhile. Where a deletion waits
// to be confirmed, or to be sent again, it does so for a pause at most.
func (w *reconciler) await(pause time.Duration) {
	w.copies.Collect()
	lacking := w.lacking()
	if lacking.deletions <= 0 {
		return
	}
	ctx, isWaiting := w.r.awake, slices.ContainsFunc(w.pending, func(st *step) bool { return st.tries > 0 })
	if isWaiting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pause)
		defer cancel()
	}
	w.leave()
	for lacking.deletions > 0 && ctx.Err() == nil && w.copies.IsMaking() {
		for _, s := range w.copies.Wait(ctx) {
			lacking.add(s.Digest)
		}
	}
	if isWaiting || w.proving { // another image may hold the room and wait for this one
		w.tryToEnter()
	} else {
		w.enter()
	}
}

// rest waits before the next reading, and lets other images use the requests; as long
// as the canary is not confirmed, only if it is slow. It ends when the patience with
// a deletion does.
func (w *reconciler) rest(d time.Duration, slow bool) {
	for _, st := range w.pending {
		if left := st.since.Add(w.r.o.ConfirmTimeout).Sub(clock.Now()); st.sent() && left > 0 {
			d = min(d, left)
		}
	}
	if !slow && w.r.isCanary() {
		w.r.rest(d)
		return
	}
	w.leave()
	w.r.rest(d)
	w.tryToEnter() // another image may hold the room and wait for this one
}

// enter waits for the room that the image needs. When nothing more is sent, none is
// needed.
func (w *reconciler) enter() {
	room := w.r.roomFor(len(w.pending))
	if w.r.room.Acquire(w.r.awake, room) == nil {
		w.room = room
	}
}

// tryToEnter takes the room if it is free, and goes on without it if it is not.
func (w *reconciler) tryToEnter() {
	if room := w.r.roomFor(len(w.pending)); w.r.room.TryAcquire(room) {
		w.room = room
	}
}

func (w *reconciler) leave() { w.release(w.room) }

// shrink gives back the room that so many deletions do not need.
func (w *reconciler) shrink(deletions int) {
	w.release(max(0, w.room-w.r.roomFor(deletions)))
}

func (w *reconciler) release(room int64) {
	w.r.room.Release(room)
	w.room -= room
}
