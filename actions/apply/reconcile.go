package apply

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/copies"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/places"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	// firstPause is how long an image with nothing to send rests before it is read
	// again; it doubles from reading to reading, up to longestPause.
	firstPause   = 250 * time.Millisecond
	longestPause = 10 * time.Second
	// decisionAge is how old a decision may become before the policies are asked
	// again: what is in use may have changed.
	decisionAge = 15 * time.Second
)

// reconciler deletes the tags of one image.
type reconciler struct {
	r        *run
	img      *image
	place    *places.Place
	copies   *copies.Queue
	pending  []*step             // without a result
	sent     []*step             // whose deletion was sent, with or without a result
	byDigest map[string][]*step  // all
	before   map[string][]string // of all decisions; see situation

	namespace *registry.Namespace
	first     *reading
	judgedOn  *reading // on which the decision was made
	judgedAt  time.Time
	last      *reading // the latest
	decision  actions.Decision
	marked    map[string]bool // IDs of the tags whose deletion the decision plans
	relist    bool            // the next reading must be a listing
	slow      bool            // listing takes so long that each deletion needs a reading of its own
	proving   bool            // it holds the right to leave a sibling behind
	room      int64           // that it takes of the run's
	troubles  int             // readings in a row that failed
	idle      int             // batches in a row of which nothing could be sent in time
}

func newReconciler(r *run, img *image) *reconciler {
	w := &reconciler{r: r, img: img, place: r.places.Of(img.ref), copies: r.copying(img.steps), byDigest: map[string][]*step{}, before: map[string][]string{}}
	for _, i := range img.steps {
		st := &step{Step: &r.steps[i], index: i}
		w.pending = append(w.pending, st)
		w.byDigest[st.Digest] = append(w.byDigest[st.Digest], st)
	}
	return w
}

// run reconciles the image until every step has a result.
func (w *reconciler) run() {
	defer w.endCopies()
	defer w.endProof()
	pause := firstPause
	for !w.finished() {
		w.await(pause)
		now, err := w.read()
		if err == nil {
			err = w.judge(now)
		}
		var d *decision
		if err == nil {
			d, err = w.decide(now)
		}
		if err != nil {
			w.unreadable(err)
			continue
		}
		w.troubles = 0
		w.record(d, now)
		w.copies.Want(d.copy)
		if len(d.send) > 0 && w.isBehind(now) {
			w.relist = true
			continue
		}
		if len(d.send) > 0 && w.maySend(d) {
			if w.send(d.send, now) {
				w.idle = 0
			} else if w.idle++; w.idle >= maxTries {
				w.giveUp(clock.Now().Sub(now.at))
			}
			pause = firstPause
			continue
		}
		if len(w.pending) > 0 && w.lacking().deletions <= 0 {
			w.rest(pause, d.waiting > 0 && d.proving == 0)
		}
		pause = min(2*pause, longestPause)
	}
}

// finished reports whether all steps have a result. It gives them one when nothing
// more may be sent, and no reading is needed or possible any more.
func (w *reconciler) finished() bool {
	if why := w.halted(); why != nil && (len(w.sent) == 0 || w.r.calls.Err() != nil) {
		w.abandon(actions.ResultSkipped, why.Error(), "")
	}
	return len(w.pending) == 0
}

// halted is why nothing more is sent in this image, and nil while it may be.
func (w *reconciler) halted() error {
	if why := w.r.stopped(); why != nil {
		return why
	}
	if w.place.IsDenied() {
		return fmt.Errorf("the API denies everything in %s", w.img.ref.WithoutImage())
	}
	return nil
}

// notTried is the result of a step that is not tried (again).
func notTried(st *step, result actions.Result, why string) (actions.Result, string) {
	if st.err != nil && result == actions.ResultSkipped {
		return actions.ResultFailed, fmt.Sprintf("%v; not tried again: %s", st.err, why)
	}
	return result, why
}

// decide decides on a reading, after single requests have told what the listing
// cannot tell.
func (w *reconciler) decide(now *reading) (*decision, error) {
	s := w.situation(now)
	d := decide(s)
	if len(d.check) == 0 {
		return d, nil
	}
	found, missing, _, err := w.get(d.check)
	if err != nil {
		return nil, err
	}
	for id, tag := range found {
		now.hidden[id] = tag
	}
	for id := range missing {
		now.absent[id] = true
	}
	return decide(s), nil
}

func (w *reconciler) situation(now *reading) *situation {
	untagged, confirmed := w.r.evidence()
	s := &situation{
		steps: w.pending, byDigest: w.byDigest, before: w.before, kept: w.img.kept, reading: now, copies: w.copies,
		untag: w.r.o.SharedDigestIn(w.img.ref.Region) == actions.Untag, proven: untagged >= max(1, w.r.o.Canary), alone: confirmed < w.r.o.Canary,
		now: clock.Now(), patience: w.r.o.ConfirmTimeout,
		marked:   func(id string) bool { return w.marked[id] },
		unmarked: func(st *step) (actions.Result, string) { return w.decision.NotPlanned(st.Step) },
	}
	if why := w.halted(); why != nil {
		s.halted, s.kept, s.marked = true, actions.Names{}, func(string) bool { return false }
		s.unmarked = func(st *step) (actions.Result, string) { return notTried(st, actions.ResultSkipped, why.Error()) }
		return s
	}
	detail := ""
	if now.row.Status != registry.StatusReady {
		detail = "the status of its image is " + cmp.Or(string(now.row.Status), "missing")
	} else if names := now.unlisted(); w.first == now && len(names) > 0 {
		detail = "its image names " + text.Some(names) + ", which the listing of its tags does not show"
	}
	if detail != "" {
		s.marked = func(string) bool { return false }
		s.unmarked = func(*step) (actions.Result, string) { return actions.ResultChanged, detail }
	}
	return s
}

// record gives the steps that are decided their results.
func (w *reconciler) record(d *decision, now *reading) {
	decided := make(map[*step]bool, len(d.finished))
	proofs, untagged := 0, 0
	for _, x := range d.finished {
		tag, _, hidden := now.find(x.step.ID)
		decided[x.step], x.step.left, x.step.unlisted = true, !x.result.Achieved(), hidden && tag.Digest == x.step.Digest
		if x.result == actions.ResultDone || x.result == actions.ResultBlocked && x.step.tries > 0 {
			proofs++
		}
		if x.result == actions.ResultDone && len(now.byDigest[x.step.Digest]) > 0 {
			untagged++
		}
	}
	var rest []*step
	for _, st := range w.pending {
		if !decided[st] {
			rest = append(rest, st)
		}
	}
	w.pending = rest
	w.r.each(len(d.finished), func(i int) {
		x := d.finished[i]
		w.finish(x.step, x.result, x.detail)
		switch {
		case x.slow:
			w.reportUnchecked(x.step)
		case x.result == actions.ResultFailed:
			w.r.strike(x.detail)
		}
	})
	w.r.prove(proofs, untagged)
	if d.waiting == 0 {
		w.endProof()
	}
	w.shrink(len(d.send) + d.held)
}

func (w *reconciler) finish(st *step, result actions.Result, detail string) {
	if c := w.copies.Of(st.Step); c.Err != nil && c.State == copies.Made && (st.sent() || result == actions.ResultGone) {
		w.r.mu.Lock()
		w.r.results[st.index].Uncopied = c.Err.Error()
		w.r.mu.Unlock()
		detail = strings.TrimPrefix(detail+"; "+actions.WithoutCopy+c.Err.Error(), "; ")
	}
	w.r.conclude(st, w.place, result, detail)
}

// endCopies notes the copies, also those that were made after their step had a result.
func (w *reconciler) endCopies() {
	w.copies.End()
	w.copies.Collect()
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	for _, i := range w.img.steps {
		w.r.results[i].Archived = w.copies.Of(&w.r.steps[i]).Archived
	}
}

// unreadable handles a reading that failed. Deletions that wait to be confirmed
// wait for another reading; the other steps get a result.
func (w *reconciler) unreadable(err error) {
	w.relist = true
	w.troubles++
	w.r.refuse(err)
	var other *places.OtherError
	result, detail, strike := actions.ResultFailed, "its image could not be read: "+err.Error(), true
	switch {
	case errors.As(err, &other):
		result, detail = actions.ResultChanged, other.Why
	case errors.Is(err, registry.ErrMismatch):
		result, detail = actions.ResultChanged, err.Error()
	case errors.Is(err, registry.ErrNotFound) && w.isGone():
		if w.last != nil {
			_ = w.reportLost(w.last, newReading(clock.Now(), w.last.row, nil, w.sent)) // what cannot be read is gone with its image
		}
		w.abandon(actions.ResultGone, "its image is not there any more", actions.ResultDone)
		return
	case errors.Is(err, registry.ErrDenied):
		w.place.Answered(w.img.id, err)
		strike = false
	case errors.Is(err, registry.ErrIncomplete) && len(w.sent) > 0 && w.troubles < maxTries:
		w.rest(firstPause<<w.troubles, false) // its own deletions make the pages shift
		return
	}
	if w.r.stopped() != nil {
		strike = false
		if len(w.sent) == 0 && w.judgedOn == nil && w.r.calls.Err() != nil {
			result, detail = actions.ResultSkipped, w.r.stopped().Error()
		}
	}
	if strike && result == actions.ResultFailed {
		w.r.strike(detail)
	}
	w.abandon(result, detail, "")
	if len(w.pending) > 0 {
		w.rest(min(firstPause<<min(w.troubles, 6), longestPause), false)
	}
}

// giveUp ends the steps that several readings in a row were too old for.
func (w *reconciler) giveUp(age time.Duration) {
	w.r.strike(tooSlow(age))
	w.abandon(actions.ResultFailed, tooSlow(age), "")
}

func tooSlow(age time.Duration) string {
	return fmt.Sprintf("the API answers too slowly: the reading was %s old before the change could be sent, and must not be older than %s", text.Elapsed(age), text.Exact(MaxReadingAge))
}

// isGone reports whether the image itself is not found.
func (w *reconciler) isGone() bool {
	_, err := w.place.Read(w.img.id)
	return errors.Is(err, registry.ErrNotFound)
}

// abandon gives the steps that were not sent a result, and those that were sent as
// well when that is given, or when they have waited for long enough. A step waits
// with a deletion of the same digest, which may take its tag along.
func (w *reconciler) abandon(result actions.Result, detail string, ofSent actions.Result) {
	var waiting []*step
	for _, st := range w.pending {
		since := w.sentAt(st)
		switch patient := clock.Now().Sub(since) < w.r.o.ConfirmTimeout && w.r.calls.Err() == nil; {
		case since.IsZero(), !st.sent() && ofSent != "":
			result, detail := notTried(st, result, detail)
			w.finish(st, result, detail)
		case ofSent != "":
			w.finish(st, ofSent, detail)
		case patient:
			waiting = append(waiting, st)
		case !st.sent():
			w.finish(st, actions.ResultFailed, "it may have been deleted together with another tag of its digest: "+detail)
		default:
			w.finish(st, actions.ResultFailed, "its deletion was sent, and is not confirmed: "+detail)
			w.reportUnchecked(st)
		}
	}
	w.pending = waiting
}

// sentAt is when the deletion of a step, or one of its digest that is not confirmed,
// was sent; zero if none was.
func (w *reconciler) sentAt(st *step) time.Time {
	at := st.since
	for _, other := range w.pending {
		if at.IsZero() && other.Digest == st.Digest {
			at = other.since
		}
	}
	return at
}

// reportUnchecked stops the run when it is not known whether the deletion of a tag
// has taken others of its digest along that no step deletes.
func (w *reconciler) reportUnchecked(st *step) {
	for _, tag := range w.last.byDigest[st.Digest] {
		if !slices.ContainsFunc(w.img.steps, func(i int) bool { return w.r.steps[i].ID == tag.ID }) {
			w.r.halt(fmt.Errorf("%w: %w: %s:%s (it has the same digest as %s, whose deletion was sent)", ErrStopped, errUnchecked, w.img.ref, tag.Name, st.Tag))
		}
	}
}
