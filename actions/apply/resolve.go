package apply

import (
	"errors"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// resolve finds out what became of one interrupted step.
func (r *run) resolve(i int) {
	s := &r.steps[i]
	c := &change{step: step{Step: s, index: i, since: clock.Now()}, r: r, place: r.places.of(s.Region, s.Namespace)}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		now, err := c.look()
		switch {
		case err != nil:
			r.settle(i, actions.ResultFailed, "it was interrupted, and could not be read afterwards: "+err.Error())
		case now.is == objectReached, now.is == objectAbsent && s.Action.Deletes():
			r.settle(i, actions.ResultDone, "it was interrupted, and reading it confirms that it was carried out")
		case now.is == objectAbsent:
			r.settle(i, actions.ResultGone, "it was interrupted, and is not there any more")
		case now.is == objectDeleting && s.Action.Deletes() && clock.Now().Sub(c.since) < r.o.ConfirmTimeout && r.calls.Err() == nil:
			r.rest(pause)
			continue
		case now.is == objectDeleting && s.Action.Deletes():
			r.settle(i, actions.ResultFailed, "it was interrupted while it was being deleted, and is not gone yet")
		case now.is == objectDeleting:
			r.settle(i, actions.ResultChanged, "it is being deleted")
		case now.is == objectAsPlanned:
			r.settle(i, actions.ResultSkipped, "it was interrupted before it was carried out, and is as it was")
		default:
			r.settle(i, actions.ResultChanged, now.detail)
		}
		return
	}
}

// look reads the object of a change by a request of its own.
func (c *change) look() (condition, error) {
	if c.Action != actions.DeleteTag {
		now, _, err := c.readObject()
		if errors.Is(err, registry.ErrNotFound) {
			return condition{is: objectAbsent}, nil
		}
		return now, err
	}
	defer c.r.slot()()
	tag, _, err := c.r.Registry.GetTag(c.r.calls, c.Region, "", c.ID)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return condition{is: objectAbsent}, nil
	case err != nil:
		return condition{}, err
	case tag.Status == registry.StatusDeleting:
		return condition{is: objectDeleting}, nil
	}
	if detail := difference(c.Step, tag); detail != "" {
		return different(detail), nil
	}
	return condition{is: objectAsPlanned}, nil
}
