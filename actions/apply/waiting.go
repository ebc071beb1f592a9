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

// lacking is how many more copies are to be made before another reading is worth its
// calls. Enough are as many deletions as are sent while the image is listed. Once nothing
// more is sent, none is made.
func (w *reconciler) lacking() int {
	if !w.copies.IsMaking() || w.r.awake.Err() != nil {
		return 0
	}
	enough := w.r.o.Concurrency * w.last.pages()
	if w.r.isCanary() {
		enough = 1
	}
	for _, st := range w.pending {
		if w.copies.Of(st.Step).State == copies.Made && !st.sent() {
			enough--
		}
	}
	return max(0, enough)
}

// await waits for copies, and lets other images go on meanwhile. Where a deletion waits
// to be confirmed, it does so for a pause at most.
func (w *reconciler) await(pause time.Duration) {
	w.copies.Collect()
	lacking := w.lacking()
	if lacking == 0 {
		return
	}
	ctx, isWaiting := w.r.awake, slices.ContainsFunc(w.pending, (*step).sent)
	if isWaiting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pause)
		defer cancel()
	}
	w.leave()
	for lacking > 0 && w.copies.IsMaking() && w.copies.Wait(ctx) {
		lacking--
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
