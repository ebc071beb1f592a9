package apply

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/copies"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	// maxTries is how often one change is sent at most.
	maxTries = 5
	// openPause is how long a reading waits after an answer that left the outcome of
	// a deletion open, before the deletion may be sent again.
	openPause = 10 * time.Second
	// refusedPause is the pause after the first answer that refused a change; it
	// doubles from answer to answer.
	refusedPause = 500 * time.Millisecond
	// canaryPatience is how long the canary waits for one deletion to be confirmed
	// before it sends the next.
	canaryPatience = 15 * time.Second
)

// situation is everything that a decision about an image depends on.
type situation struct {
	steps    []*step             // that have no result yet
	byDigest map[string][]*step  // all
	before   map[string][]string // what must be gone before a digest is deleted; see registry.Image.First
	kept     actions.Names
	reading  *reading
	// marked reports whether the policies in force plan the deletion of a tag, and
	// unmarked is the result of a step if not.
	marked   func(id string) bool
	unmarked func(*step) (actions.Result, string)
	halted   bool // nothing more is sent
	copies   *copies.Queue
	// untag: the API is known to remove only the tag that is deleted; proven: this
	// run has seen that often enough.
	untag, proven bool
	// alone: every deletion is confirmed before the next is sent.
	alone    bool
	now      time.Time
	patience time.Duration // for a deletion that was sent
}

// step is one deletion of a tag while its image is reconciled.
type step struct {
	*actions.Step
	index int
	// What was sent for it, and how that was answered.
	tries int
	at    time.Time // of the last answer
	since time.Time // of the first answer that did not refuse it
	open  bool      // the last answer left the outcome open
	err   error     // of the last answer
	// missing: a GET did not find the tag before anything was sent.
	missing bool
	left    bool // it has a result, and its tag may still be there
	// unlisted: when it got its result, only a GET found its tag, with the planned digest.
	unlisted bool
}

// sent reports whether the deletion may be under way.
func (st *step) sent() bool { return !st.since.IsZero() }

// decision is what follows from a situation.
type decision struct {
	send     []*step
	copy     []*actions.Step // of which a copy is to be made before they may be sent
	finished []finished
	check    []*step // whose absence from the listing a GET must confirm
	waiting  int     // steps that were sent and are not confirmed
	proving  int     // of those, the ones that the canary waits for
	held     int     // steps that wait for others
	// leaves: the deletion leaves a kept tag with the same digest behind, and it is
	// not proven that the API leaves it alone.
	leaves bool
}

// finished is a step and its result.
type finished struct {
	step   *step
	result actions.Result
	detail string
	slow   bool // it only took too long
}

// decide sorts the steps of an image by what the reading shows of their tags:
//
//   - A tag that is gone is done if its deletion was sent, and gone if not.
//   - A tag that is not what was planned is changed.
//   - A tag whose deletion was sent, and which is still there, waits; a deletion whose
//     outcome is open is sent again once a later reading shows the tag untouched.
//   - A tag that the policies in force do not mark on this reading is not deleted.
//   - If a tag that the plan keeps is gone, nothing more is deleted.
//   - A tag that cannot be copied is not deleted.
//   - What remains is sent once it is copied: attachments after their subjects, parts when
//     their indexes are gone, one tag of a digest at a time until it is proven what the API does to the others.
func decide(s *situation) *decision {
	d := &decision{}
	vanished := s.vanished()
	var candidates []*step
	busy := make(map[string]bool) // digests of which a deletion is under way
	for _, st := range s.steps {
		switch p, end := s.position(st); p {
		case ended:
			d.finished = append(d.finished, end)
		case unconfirmed:
			d.check = append(d.check, st)
		case under:
			s.wait(d, st, busy)
		case pausing:
			d.held++
		case asPlanned:
			switch {
			case st.sent() && (len(vanished) > 0 || !s.marked(st.ID)):
				s.wait(d, st, busy) // it is not sent again, and may still happen
			case len(vanished) > 0:
				d.finish(st, actions.ResultChanged, text.Some(vanished)+", which the plan keeps, "+text.Choose(len(vanished), "is", "are")+" not there any more")
			case s.halted && s.isUnderWay(st.Digest): // it may be deleted with the other tag
				d.held++
			case !s.marked(st.ID):
				result, detail := s.unmarked(st)
				d.finish(st, result, detail)
			case s.copies.Of(st.Step).State == copies.Failed:
				d.finish(st, actions.ResultFailed, s.copies.Of(st.Step).Err.Error())
			case st.sent(): // before the others of its digest
				candidates = slices.Insert(candidates, 0, st)
			default:
				candidates = append(candidates, st)
			}
		}
	}
	s.admit(d, candidates, busy)
	return d
}

// wait lets a step wait for what was sent, and others for it.
func (s *situation) wait(d *decision, st *step, busy map[string]bool) {
	d.waiting++
	busy[st.Digest] = true
	if s.now.Sub(st.at) < canaryPatience {
		d.proving++
	}
}

func (d *decision) finish(st *step, result actions.Result, detail string) {
	d.finished = append(d.finished, finished{step: st, result: result, detail: detail})
}

// vanished are the tags that the plan keeps and that the reading does not show.
func (s *situation) vanished() []string {
	var names []string
	for name := range s.kept.All() {
		if !s.reading.names[name] {
			names = append(names, name)
		}
	}
	return names
}

// position is where a step stands according to the reading.
type position uint8

const (
	asPlanned   position = iota // it may be sent
	ended                       // it has a result
	unconfirmed                 // not listed, which is not enough of a proof
	under                       // its deletion is under way
	pausing                     // to be sent again later
)

// end is the position of a step that has a result.
func (st *step) end(result actions.Result, detail string) (position, finished) {
	return ended, finished{step: st, result: result, detail: detail}
}

// position compares the tag of a step with the reading.
func (s *situation) position(st *step) (position, finished) {
	tag, listed, hidden := s.reading.find(st.ID)
	sibling := s.sibling(st)
	switch {
	case !listed && !hidden:
		return s.absence(st)
	case listed && st.missing:
		return st.end(actions.ResultFailed, "a request for the tag finds nothing, and the listing of its image still shows it")
	case st.sent():
		p, end := s.progress(st, tag)
		if p == asPlanned && hidden { // it is not sent again, and may still happen
			p = under
		}
		return p, end
	case sibling != nil && (hidden || tag.Status == registry.StatusDeleting):
		return s.patient(st, sibling.since)
	case tag.Status == registry.StatusDeleting && st.tries > 0:
		return s.patient(st, st.at)
	case hidden:
		return st.end(actions.ResultChanged, "the listing of its image does not show it")
	}
	if detail := st.Difference(tag); detail != "" {
		return st.end(actions.ResultChanged, detail)
	}
	return s.again(st)
}

// absence is the position of a tag that the listing does not show.
func (s *situation) absence(st *step) (position, finished) {
	accepted := st.sent() && !st.open && st.err == nil
	switch {
	case !accepted && !s.reading.absent[st.ID]:
		return unconfirmed, finished{}
	case !st.sent() && s.sibling(st) != nil:
		return st.end(actions.ResultGone, "it was deleted together with "+s.sibling(st).Tag+", which had the same digest")
	case !st.sent():
		return st.end(actions.ResultGone, "it was not there any more")
	case st.err != nil:
		return st.end(actions.ResultDone, "confirmed after: "+st.err.Error())
	}
	return st.end(actions.ResultDone, "")
}

// patient is the position of a tag that is being deleted since a time.
func (s *situation) patient(st *step, since time.Time) (position, finished) {
	if passed := s.now.Sub(since); passed >= s.patience {
		return st.late(text.Age(passed) + " after its deletion was sent, it is still being deleted")
	}
	return under, finished{}
}

// late is the end of a deletion that takes too long.
func (st *step) late(detail string) (position, finished) {
	return ended, finished{st, actions.ResultFailed, detail, true}
}

// sibling is a step of the same digest whose deletion was sent.
func (s *situation) sibling(st *step) *step {
	for _, other := range s.reading.sent {
		if other.Digest == st.Digest && other.ID != st.ID {
			return other
		}
	}
	return nil
}

// isUnderWay reports whether a deletion of a digest was sent and is not confirmed.
func (s *situation) isUnderWay(digest string) bool {
	return slices.ContainsFunc(s.steps, func(st *step) bool { return st.sent() && st.Digest == digest })
}

// progress is the position of a tag whose deletion was sent and that is still there.
func (s *situation) progress(st *step, tag registry.Tag) (position, finished) {
	passed := s.now.Sub(st.since)
	switch {
	case tag.Digest != "" && tag.Digest != st.Digest && tag.Status != registry.StatusDeleting:
		return st.end(actions.ResultChanged, "it was pushed again, with the digest "+tag.Digest+", after its deletion was sent")
	case tag.Status == registry.StatusDeleting:
		return s.patient(st, st.since)
	case passed >= s.patience && st.err != nil:
		return st.late(fmt.Sprintf("%s after its deletion was sent, it is still there: %v", text.Age(passed), st.err))
	case passed >= s.patience:
		return st.late("the API accepted its deletion, and " + text.Age(passed) + " later it is still there")
	case st.err == nil || st.Difference(tag) != "" || s.reading.at.Sub(st.at) < openPause:
		return under, finished{}
	}
	return s.again(st)
}

// again is the position of an untouched tag: to be sent, if it may be sent (again).
func (s *situation) again(st *step) (position, finished) {
	result, detail := st.exhausted()
	switch {
	case result == actions.ResultBlocked && len(s.reading.byDigest[st.Digest]) > 1:
		return st.end(result, "the API does not delete one of several tags of a digest: set shared_digest to what this API does, or keep all tags of the digest: "+detail)
	case result != "":
		return st.end(result, detail)
	case st.tries > 0 && !st.open && s.reading.at.Sub(st.at) < refusedPause<<(st.tries-1):
		return pausing, finished{}
	}
	return asPlanned, finished{}
}

// exhausted is the result of a change that is not sent again; "" while it may be.
func (st *step) exhausted() (actions.Result, string) {
	sentOften := fmt.Sprintf("%v (sent %s)", st.err, text.Count(st.tries, "time"))
	switch {
	case !registry.MayPass(st.err):
		return actions.ResultFailed, st.err.Error()
	case st.tries < maxTries:
		return "", ""
	case !st.sent() && (errors.Is(st.err, registry.ErrConflict) || errors.Is(st.err, registry.ErrDenied)):
		return actions.ResultBlocked, sentOften
	}
	return actions.ResultFailed, sentOften
}
