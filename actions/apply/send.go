package apply

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	// maxTries is how often a change is sent at most.
	maxTries = 5
	// firstPause is the longest pause before the second try; it doubles from try to
	// try. What the API's rate limit asks for comes on top of it.
	firstPause = 200 * time.Millisecond
	// readyFor is how long an object may look untouched after the API has accepted
	// its change. Deletions have been seen to show at once.
	readyFor = 2 * time.Second
	// firstLook is the pause before the second look at what is being deleted; it
	// grows by half from look to look, up to longestLook.
	firstLook   = 200 * time.Millisecond
	longestLook = 2 * time.Second
)

// change is one change of one object.
type change struct {
	step int
	// read reads the object, and what must be empty to delete it, afresh. look only
	// sees what has become of the object; where nothing must be empty, both are the
	// same.
	read, look func(ctx context.Context) (sight, error)
	send       func(ctx context.Context) error
	// follows is a tag with the same digest for whose deletion something was sent:
	// the API may have taken this one along.
	follows string
	// shared says that several tags of the plan, or one that stays, have the digest.
	shared bool
}

// sight is how an object looks to a change.
type sight struct {
	is     state
	detail string // of what is other
}

type state uint8

const (
	asPlanned state = iota
	absent
	deleting
	reached // the visibility that the change asks for
	other   // neither as planned nor on its way out
)

// carryOut records a step, carries it out, and records what became of it. It
// returns the result, and whether anything was sent.
func (t *turn) carryOut(c change) (actions.Result, bool) {
	r := t.run
	if why := r.stopped(); why != nil {
		result, detail := t.leftBehind(c, actions.ResultSkipped, why.Error())
		return r.settle(c.step, result, detail).Result, false
	}
	t.give()
	if err := r.journal.Intend(r.calls, r.steps[c.step]); err != nil {
		r.halt(fmt.Errorf("%w: the journal cannot be written: %w", ErrStopped, err))
		return r.settle(c.step, actions.ResultSkipped, "the journal cannot be written, so nothing was sent").Result, false
	}
	t.take()
	s := sending{turn: t, change: c}
	result, detail := s.run()
	if s.sent {
		r.touch(&r.steps[c.step], true)
	}
	switch result {
	case actions.ResultDone:
		r.strike(false, "")
	case actions.ResultFailed:
		r.strike(true, detail)
	}
	res := r.settle(c.step, result, detail)
	t.give()
	// Whether a result is recorded must not depend on the moment of a signal.
	if err := r.journal.Done(context.WithoutCancel(r.calls), res); err != nil {
		r.halt(fmt.Errorf("%w: the journal cannot be written: %w", ErrStopped, err))
	}
	t.take()
	return result, s.sent
}

// leftBehind is the result of a step that is not tried. Its tag may be gone all
// the same, with another one of its digest.
func (t *turn) leftBehind(c change, otherwise actions.Result, why string) (actions.Result, string) {
	if c.follows == "" {
		return otherwise, why
	}
	s := sending{turn: t, change: c}
	switch seen, err := c.look(t.run.calls); {
	case err != nil:
		result, detail := s.unreadable(err)
		return result, why + "; " + detail
	case seen.is == absent || seen.is == deleting:
		return s.conclude(seen)
	}
	return otherwise, why
}

// sending is a change on its way.
type sending struct {
	*turn
	change
	sent    bool  // at least once
	unknown bool  // and it may have been carried out
	last    error // why the last try did not do
}

// run tries, each time after a fresh read, until the object shows that the
// change was made, or that it must not or cannot be made.
func (s *sending) run() (actions.Result, string) {
	for try := 1; ; try++ {
		if try > 1 {
			longest := firstPause << (try - 2)
			s.rest(longest/2 + rand.N(longest/2))
		}
		seen, err := s.read(s.turn.run.calls)
		if err != nil {
			return s.unreadable(err)
		}
		if seen.is != asPlanned {
			return s.conclude(seen)
		}
		if try > maxTries {
			return s.giveUp()
		}
		if why := s.turn.run.stopped(); why != nil {
			return s.held(why)
		}
		s.turn.run.touch(&s.turn.run.steps[s.step], false)
		s.sent = true
		err = s.send(s.turn.run.calls)
		switch {
		case err == nil:
			return s.confirm("the API accepted it")
		case errors.Is(err, registry.ErrDenied):
			s.turn.run.halt(fmt.Errorf("%w: the API denies it: %w", ErrStopped, err))
			return actions.ResultFailed, err.Error()
		case errors.Is(err, registry.ErrUnknownOutcome), errors.Is(err, registry.ErrThrottled):
			s.unknown, s.last = true, err
		case errors.Is(err, registry.ErrConflict), errors.Is(err, registry.ErrNotFound):
			s.last = err // a 404 counts when the object itself is not there either
		default:
			return actions.ResultFailed, err.Error()
		}
	}
}

// conclude is the result of a change whose object is not, or no longer, as it
// was planned.
func (s *sending) conclude(seen sight) (actions.Result, string) {
	switch {
	case seen.is == reached && s.unknown, seen.is == absent && s.unknown && s.deletes():
		return actions.ResultDone, "confirmed after: " + s.last.Error()
	case seen.is == absent && s.follows != "":
		return actions.ResultGone, "it went with " + s.follows + ", which had the same digest"
	case seen.is == absent:
		return actions.ResultGone, "it was not there any more"
	case seen.is == deleting && s.deletes() && (s.sent || s.follows != ""):
		if result, detail := s.confirm("the API began to delete it"); result != actions.ResultDone {
			return result, detail
		}
		return s.conclude(sight{is: absent})
	case seen.is == deleting:
		return actions.ResultChanged, "it is being deleted already"
	case seen.is == reached:
		return actions.ResultChanged, "it is " + string(s.turn.run.steps[s.step].To) + " already"
	}
	return actions.ResultChanged, seen.detail
}

func (s *sending) deletes() bool { return s.turn.run.steps[s.step].Action.Deletes() }

// unreadable is the result of a change whose object cannot be read.
func (s *sending) unreadable(err error) (actions.Result, string) {
	s.turn.run.haltIfDenied(err)
	if s.unknown {
		return actions.ResultFailed, fmt.Sprintf("it may have been carried out (%v), and could not be read afterwards: %v", s.last, err)
	}
	if s.follows != "" {
		return actions.ResultFailed, fmt.Sprintf("it may have gone with %s, which had the same digest, and could not be read: %v", s.follows, err)
	}
	return actions.ResultFailed, "it could not be read: " + err.Error()
}

// giveUp is the result after the last try, with the object as it was.
func (s *sending) giveUp() (actions.Result, string) {
	detail := fmt.Sprintf("%v (sent %d times)", s.last, maxTries)
	if errors.Is(s.last, registry.ErrConflict) && s.shared {
		return actions.ResultBlocked, "the API does not delete one of several tags of a digest: set shared_digest to what this API does, or keep all tags of the digest: " + detail
	}
	return actions.ResultFailed, detail
}

// held is the result of a change that is not sent (again) since the run stops.
func (s *sending) held(why error) (actions.Result, string) {
	if s.sent {
		return actions.ResultFailed, fmt.Sprintf("%v; not tried again: %v", s.last, why)
	}
	return actions.ResultSkipped, why.Error()
}

// confirm watches the object until it shows that the change was made.
func (s *sending) confirm(since string) (actions.Result, string) {
	r := s.turn.run
	r.o.Progress.Watched.Add(1)
	defer r.o.Progress.Watched.Add(-1)
	began, pause := clock.Now(), firstLook // not o.Now: a pinned clock would never end the wait
	for {
		seen, err := s.look(r.calls)
		if err == nil && (seen.is == absent && s.deletes() || seen.is == reached) {
			return actions.ResultDone, ""
		}
		passed := clock.Now().Sub(began)
		switch untouched := err == nil && seen.is != deleting; {
		case r.calls.Err() != nil:
			return actions.ResultFailed, fmt.Sprintf("%s, and it was not watched to its end: %v", since, context.Cause(r.calls))
		case err != nil && (errors.Is(err, registry.ErrDenied) || passed >= r.o.ConfirmTimeout):
			r.haltIfDenied(err)
			return actions.ResultFailed, fmt.Sprintf("%s, and it could not be read afterwards: %v", since, err)
		case seen.is == absent && err == nil:
			return actions.ResultGone, since + ", and then it was gone"
		case untouched && passed >= readyFor:
			return actions.ResultFailed, fmt.Sprintf("%s, and %s later nothing has come of it", since, text.Age(passed))
		case passed >= r.o.ConfirmTimeout:
			return actions.ResultFailed, fmt.Sprintf("%s, and %s later it is still being deleted", since, text.Age(passed))
		case passed < readyFor:
			s.rest(min(pause, readyFor-passed)) // a look at the very end of that time
		default:
			s.rest(pause)
		}
		pause = min(pause*3/2, longestLook)
	}
}

func (r *run) haltIfDenied(err error) {
	if errors.Is(err, registry.ErrDenied) {
		r.halt(fmt.Errorf("%w: the API denies it: %w", ErrStopped, err))
	}
}
