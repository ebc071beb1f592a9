package apply

import (
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// judge asks the policies in force about the image: on its first listing, on a later
// one that shows anything that this run did not do, and now and then on the same.
func (w *reconciler) judge(now *reading) error {
	last := w.last
	w.last = now
	if w.judgedOn != nil {
		if err := w.reportLost(last, now); err != nil {
			w.last = last
			return err
		}
		switch {
		case w.judgedOn.unexplained(now):
		case clock.Now().Sub(w.judgedAt) < decisionAge:
			return nil
		default: // what this run has done since does not count
			now = w.judgedOn
		}
	}
	j, err := w.r.Judge(w.r.calls, Subject{Namespace: w.namespace, Image: now.image(w.namespace)})
	if err != nil {
		w.r.halt(fmt.Errorf("%w: %w", ErrStopped, err))
		return err
	}
	if w.first == nil {
		w.first = now
		if ref := w.img.ref.String(); w.r.others[ref] {
			w.r.first.Store(ref, j)
		}
	}
	w.judgedOn, w.judgedAt, w.decision, w.marked = now, clock.Now(), j, map[string]bool{}
	for digest, others := range j.First() { // what is being deleted now is not in it
		w.before[digest] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(w.before[digest], others))))
	}
	for i := range j.Steps {
		if j.Steps[i].Action == actions.DeleteTag {
			w.marked[j.Steps[i].ID] = true
		}
	}
	return nil
}

// reportLost stops the run when a tag that no step deletes has gone with one that
// this run has deleted. While the canary is not confirmed, any such tag counts. A
// tag that a request of its own finds is not lost: then the listing is an error.
func (w *reconciler) reportLost(last, now *reading) error {
	_, confirmed := w.r.evidence()
	expected := make(map[string]bool)
	for _, st := range slices.Concat(w.pending, w.sent) {
		expected[st.ID] = true
	}
	var lost []string
	for _, tag := range last.lost(now, expected, len(w.sent) > 0 && confirmed < w.r.o.Canary) {
		found, missing, _, err := w.get([]*step{{Step: &actions.Step{ID: tag.ID}}})
		switch {
		case err != nil:
			return err
		case missing[tag.ID], found[tag.ID].Status == registry.StatusDeleting:
			lost = append(lost, w.img.ref.String()+":"+tag.Name)
		default:
			return fmt.Errorf("%w: it does not show %s, which a request of its own finds", registry.ErrIncomplete, tag.Name)
		}
	}
	if len(lost) > 0 {
		w.r.lose(lost, "gone after deletions in the image: either this API does not do what shared_digest says, or another client deletes here too")
	}
	return nil
}

// evidence is how many deletions were seen to leave other tags of their digest
// alone, and how many were confirmed.
func (r *run) evidence() (untagged, confirmed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.untagged, r.confirmed
}

func (r *run) prove(confirmed, untagged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed += confirmed
	r.untagged += untagged
}
