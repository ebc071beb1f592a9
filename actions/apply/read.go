package apply

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// read lists the tags of the image, or, where that costs fewer calls, reads each
// tag of a pending step by itself.
func (w *reconciler) read() (*reading, error) {
	if w.last != nil && !w.relist && len(w.pending) < w.last.pages() && !slices.ContainsFunc(w.pending, w.hasSiblings) {
		next, err := w.readEach()
		if err != nil || next != nil {
			return next, err
		}
	}
	row, ns, err := w.place.Image(w.img.ref, w.img.id)
	if err != nil {
		return nil, err
	}
	w.namespace = ns
	list, at, err := w.r.listTags(w.img.ref, w.img.id)
	if err != nil {
		return nil, err
	}
	w.slow, w.relist = clock.Now().Sub(at) > MaxReadingAge/2, false
	next := newReading(at, row, list, w.sent)
	if w.judgedOn == nil && len(next.unlisted()) > 0 { // the row may be the older of the two
		if next.row, _, err = w.place.ReadImage(w.img.ref, w.img.id); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// hasSiblings reports whether other tags have the digest of a step: only a listing
// shows what becomes of them.
func (w *reconciler) hasSiblings(st *step) bool {
	return slices.ContainsFunc(w.last.byDigest[st.Digest], func(t registry.Tag) bool { return t.ID != st.ID })
}

func (r *run) listTags(image registry.Ref, id string) ([]registry.Tag, time.Time, error) {
	defer r.slot()()
	return r.Registry.ListTags(registry.About(r.calls, image), image.Region, id)
}

// readEach reads the tags of the pending steps, and takes the rest from the latest
// reading. It returns nil when only a listing can tell.
func (w *reconciler) readEach() (*reading, error) {
	found, missing, at, err := w.get(w.pending)
	if err != nil {
		return nil, err
	}
	for _, st := range w.pending {
		if missing[st.ID] && !st.sent() {
			st.missing, w.relist = true, true // the listing must agree
		}
	}
	if w.relist {
		return nil, nil
	}
	return w.last.with(at, found, missing, w.sent), nil
}

// get reads tags by requests of their own. The time is that of the oldest.
func (w *reconciler) get(steps []*step) (found map[string]registry.Tag, missing map[string]bool, oldest time.Time, failed error) {
	found, missing, oldest = map[string]registry.Tag{}, map[string]bool{}, clock.Now()
	var mu sync.Mutex
	w.r.each(len(steps), func(i int) {
		release := w.r.slot()
		tag, at, err := w.r.Registry.GetTag(w.r.calls, w.img.ref.Region, w.img.id, steps[i].ID)
		release()
		mu.Lock()
		defer mu.Unlock()
		if at.Before(oldest) && !at.IsZero() {
			oldest = at
		}
		switch {
		case errors.Is(err, registry.ErrNotFound):
			missing[steps[i].ID] = true
		case errors.Is(err, registry.ErrMismatch):
			found[steps[i].ID] = registry.Tag{ID: steps[i].ID} // of another image: not what was planned
		case err != nil:
			failed = err
		default:
			found[steps[i].ID] = tag
		}
	})
	return found, missing, oldest, failed
}

// isBehind reports whether single requests have followed a listing for so long that
// what they do not show, such as a new tag, must be listed before anything is sent.
func (w *reconciler) isBehind(now *reading) bool {
	return !w.slow && now.listed != now.at && clock.Now().Sub(now.listed) > MaxReadingAge
}
