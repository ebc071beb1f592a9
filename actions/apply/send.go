package apply

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions/apply/internal/places"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// maySend takes the right to leave a sibling behind where a decision needs it. One
// deletion of the run has it at a time, until it is proven that siblings stay.
func (w *reconciler) maySend(d *decision) bool {
	if !d.leaves || w.proving {
		return true
	}
	select {
	case w.r.proof <- struct{}{}:
		w.proving = true
	default:
	}
	return w.proving
}

func (w *reconciler) endProof() {
	if w.proving {
		w.proving = false
		<-w.r.proof
	}
}

// send journals and sends a batch, as long as the reading is fresh. What is not
// sent stays pending: the next reading decides about it again. It reports whether
// anything was sent.
func (w *reconciler) send(batch []*step, now *reading) bool {
	w.r.touch(w.img.ref.String(), w.img.ref.WithoutImage().String())
	var stale atomic.Bool
	var sent atomic.Int64
	var group errgroup.Group
	group.SetLimit(2 * w.r.o.Concurrency) // while some write to the journal, others are sent
	for _, st := range batch {
		group.Go(func() error {
			if !stale.Load() && w.r.intend(st.index) {
				tries := st.tries
				stale.Store(!w.sendOne(st, now.at))
				sent.Add(int64(st.tries - tries))
			}
			return nil
		})
	}
	_ = group.Wait() // nothing returns an error
	for _, st := range batch {
		if st.sent() && !slices.Contains(w.sent, st) {
			w.sent = append(w.sent, st)
			w.r.o.Progress.Watched.Add(1)
		}
	}
	return sent.Load() > 0
}

// sendOne sends the deletion of one tag, and reports false when the reading is too
// old for it and for those after it.
func (w *reconciler) sendOne(st *step, at time.Time) bool {
	defer w.r.slot()()
	if w.slow {
		tag, read, err := w.r.Registry.GetTag(w.r.calls, w.img.ref.Region, w.img.id, st.ID)
		if err != nil || st.Difference(tag) != "" {
			w.relist = true
			return true // the next listing tells
		}
		at = read
	}
	before := at.Add(MaxReadingAge)
	if !clock.Now().Before(before) || w.r.stopped() != nil {
		return false
	}
	answer, err := w.r.Registry.DeleteTag(w.r.calls, w.img.ref.Region, st.ID, before)
	if errors.Is(err, registry.ErrLate) {
		return false
	}
	w.answered(st, answer, err)
	return true
}

// answered notes how the API answered to a deletion.
func (w *reconciler) answered(st *step, tag registry.Tag, err error) {
	w.r.answered(st, w.place, err)
	if err == nil && tag.Digest != "" && tag.Digest != st.Digest {
		w.r.lose([]string{st.Ref + "@" + tag.Digest}, fmt.Sprintf(
			"the API answered to the deletion of %s that it had this digest, not the planned %s: the tag was pushed in between", st.Ref, st.Digest))
	}
}

// answered notes the answer to a change, and reports whether it is the first one
// after which the change may be under way.
func (r *run) answered(st *step, p *places.Place, err error) (first bool) {
	st.tries++
	st.at, st.err = clock.Now(), err
	st.open = errors.Is(err, registry.ErrUnknownOutcome)
	p.Answered(st.ID, err)
	r.refuse(err)
	if first = (err == nil || st.open) && st.since.IsZero(); first {
		st.since = st.at
	}
	return first
}
