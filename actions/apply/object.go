package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/places"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// objects carries out steps on images and namespaces: the first few one at a time,
// then side by side.
func (r *run) objects(steps []int) {
	proven := 0
	for len(steps) > 0 && proven < r.o.Canary {
		var result actions.Result
		r.contain(steps[:1], func() { result = r.object(steps[0]) })
		if result == actions.ResultDone || result == actions.ResultBlocked {
			proven++
		}
		steps = steps[1:]
	}
	r.each(len(steps), func(k int) {
		r.contain(steps[k:k+1], func() { r.object(steps[k]) })
	})
}

// change is one step on an image or a namespace while it is carried out.
type change struct {
	step
	r     *run
	place *places.Place
	late  int // readings in a row that were too old when the change could be sent
}

// condition is how the object of a change looks.
type condition struct {
	is     objectState
	detail string         // of one that is different
	result actions.Result // of one that is different; "" is changed
	at     time.Time      // when the oldest request of the reading was written
}

type objectState uint8

const (
	objectAsPlanned objectState = iota
	objectAbsent
	objectDeleting
	objectReached // it has the visibility that the step asks for
	objectDifferent
)

// object carries out one step on an image or a namespace: read, decide, send, read
// again. It returns the result.
func (r *run) object(i int) actions.Result {
	s := &r.steps[i]
	c := &change{step: step{Step: s, index: i}, r: r, place: r.places.Of(s.Object())}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if why := r.stopped(); why != nil && !c.sent() {
			return c.end(actions.ResultSkipped, why.Error(), nil)
		}
		now, err := c.read()
		if result, detail := c.decide(now, err); result != "" {
			return c.end(result, detail, err)
		}
		if err == nil && now.is == objectAsPlanned && c.mayBeSent(now) && r.intend(i) {
			c.send(now.at)
		} else {
			r.rest(pause)
		}
	}
}

func (c *change) end(result actions.Result, detail string, err error) actions.Result {
	c.r.refuse(err)
	result = c.r.conclude(&c.step, c.place, result, detail)
	slow := c.sent() && clock.Now().Sub(c.since) >= c.r.o.ConfirmTimeout
	if result == actions.ResultFailed && !slow && !errors.Is(err, registry.ErrDenied) {
		c.r.strike(detail)
	}
	return result
}

// decide is the result that follows from a reading, "" while there is none.
func (c *change) decide(now condition, err error) (actions.Result, string) {
	passed := clock.Now().Sub(c.since)
	switch {
	case c.r.calls.Err() != nil && c.sent():
		return actions.ResultFailed, "it was sent, and is not confirmed: " + context.Cause(c.r.calls).Error()
	case err != nil && c.sent() && passed < c.r.o.ConfirmTimeout && !errors.Is(err, registry.ErrUnauthenticated):
		return "", ""
	case err != nil && c.sent():
		return actions.ResultFailed, "it was sent, and could not be read afterwards: " + err.Error()
	case err != nil:
		return actions.ResultFailed, "it could not be read: " + err.Error()
	}
	deletes := c.Action.Deletes()
	switch {
	case now.is == objectReached && c.sent(), now.is == objectAbsent && deletes && c.sent():
		if c.err != nil {
			return actions.ResultDone, "confirmed after: " + c.err.Error()
		}
		return actions.ResultDone, ""
	case now.is == objectAbsent:
		return actions.ResultGone, "it was not there any more"
	case now.is == objectReached:
		return actions.ResultChanged, "it is " + string(c.To) + " already"
	case now.is == objectDeleting && (!deletes || !c.sent()):
		return actions.ResultChanged, "it is being deleted already"
	case c.sent() && passed >= c.r.o.ConfirmTimeout:
		return actions.ResultFailed, text.Age(passed) + " after it was sent, it is not done"
	case now.is == objectDifferent && !c.sent():
		if now.result != "" {
			return now.result, now.detail
		}
		return actions.ResultChanged, now.detail
	case now.is != objectAsPlanned || c.sent():
		return "", ""
	case c.late >= maxTries:
		return actions.ResultFailed, tooSlow(clock.Now().Sub(now.at))
	}
	return c.exhausted()
}

// mayBeSent reports whether the change may be sent (again) on this reading.
func (c *change) mayBeSent(now condition) bool {
	switch {
	case c.r.stopped() != nil || c.tries >= maxTries:
		return false
	case c.tries == 0:
		return true
	case c.open:
		return now.at.Sub(c.at) >= openPause
	}
	return c.err != nil && now.at.Sub(c.at) >= refusedPause<<(c.tries-1)
}

// send sends the change. Only a deletion relies on the age of its reading.
func (c *change) send(read time.Time) {
	defer c.r.slot()()
	s, g, ctx := c.Step, c.r.Registry, c.r.calls
	var before time.Time
	if s.Action.Deletes() {
		before = read.Add(MaxReadingAge)
	}
	var err error
	switch c.Action {
	case actions.DeleteImage:
		err = g.DeleteImage(ctx, s.Region, s.ID, before)
	case actions.DeleteNamespace:
		err = g.DeleteNamespace(ctx, s.Region, s.ID, before)
	case actions.SetImageVisibility:
		err = g.SetImageVisibility(ctx, s.Region, s.ID, s.To, before)
	default:
		err = g.SetNamespaceVisibility(ctx, s.Region, s.ID, s.To, before)
	}
	if errors.Is(err, registry.ErrLate) {
		c.late++
		return
	}
	c.late = 0
	if c.r.answered(&c.step, c.place, err) {
		c.r.o.Progress.Watched.Add(1)
		c.r.touch(s.Ref, s.Object().WithoutImage().String())
	}
}

// read reads the object afresh and compares it with the step and, before anything
// was sent for it, with what the policies in force plan.
func (c *change) read() (condition, error) {
	read := c.readImage
	if c.Image == "" {
		read = c.readNamespace
	}
	now, subject, err := read()
	if errors.Is(err, registry.ErrNotFound) {
		return condition{is: objectAbsent}, nil
	}
	if err != nil || now.is != objectAsPlanned || !c.mayBeRepeated() {
		return now, err
	}
	return c.checkPolicies(now, subject)
}

// mayBeRepeated reports whether the change may still be sent, or sent again, so that
// all that it depends on is read.
func (c *change) mayBeRepeated() bool { return !c.sent() || c.err != nil }

func (c *change) readImage() (now condition, subject Subject, err error) {
	var tags []registry.Tag
	if c.mayBeRepeated() { // the image is read last, as shortly before the change as possible
		if tags, now.at, err = c.r.listTags(c.Object(), c.ID); err != nil && !errors.Is(err, registry.ErrNotFound) {
			return now, subject, err
		}
	}
	s := c.Step
	img, ns, err := c.place.ReadImage(s.Object(), s.ID)
	if other := new(places.OtherError); errors.As(err, &other) {
		return different(other.Why), subject, nil
	}
	if err != nil {
		return now, subject, err
	}
	subject = Subject{Namespace: ns, Image: newReading(now.at, img, tags, nil).image(ns)}
	now = c.compare(now.at, img.Status, img.Visibility, img.UpdatedAt)
	switch {
	case now.is != objectAsPlanned || c.Action != actions.DeleteImage:
	case len(tags) > 0:
		now = different("it is not empty any more: it has " + text.Count(len(tags), "tag"))
	case len(img.TagNames) > 0:
		now = different("it is not empty any more: it names " + text.Count(len(img.TagNames), "tag"))
	case img.SizeBytes > 0:
		now = different(fmt.Sprintf("it is not empty any more: it has a size of %d bytes", img.SizeBytes))
	}
	return now, subject, nil
}

func (c *change) readNamespace() (now condition, subject Subject, err error) {
	defer c.r.slot()()
	g, s, ctx := c.r.Registry, c.Step, c.r.calls
	var images []registry.Image
	if c.Action == actions.DeleteNamespace && c.mayBeRepeated() {
		if images, now.at, err = g.ListImages(ctx, s.Region, s.ID); err != nil && !errors.Is(err, registry.ErrNotFound) {
			return now, subject, err
		}
	}
	ns, read, err := g.GetNamespace(ctx, s.Region, s.ID)
	if err != nil {
		return now, subject, err
	}
	if now.at.IsZero() {
		now.at = read
	}
	subject = Subject{Namespace: &ns, Empty: c.Action == actions.DeleteNamespace}
	now = c.compare(now.at, ns.Status, ns.Visibility(), ns.UpdatedAt)
	switch {
	case now.is != objectAsPlanned || !c.mayBeRepeated():
	case ns.Name != s.Namespace:
		now = different("it is named " + ns.Name)
	case c.Action == actions.DeleteNamespace && len(images) > 0:
		now = different("it is not empty any more: it has " + text.Count(len(images), "image"))
	case c.Action == actions.DeleteNamespace && ns.ImageCount > 0:
		now = different("it is not empty any more: the API counts " + text.Count(int(min(ns.ImageCount, 1<<31-1)), "image"))
	}
	return now, subject, nil
}

// checkPolicies asks the policies in force about the object, unless this run has changed
// something in it: then what they made of it before counts.
func (c *change) checkPolicies(now condition, s Subject) (condition, error) {
	first, known := c.r.first.Load(c.Ref)
	j, _ := first.(actions.Decision)
	if !known || !c.r.isTouched(c.Ref) {
		var err error
		if j, err = c.r.Judge(c.r.calls, s); err != nil {
			c.r.halt(fmt.Errorf("%w: %w", ErrStopped, err))
			return condition{}, err
		}
	}
	if j.Plans(c.Step) {
		return now, nil
	}
	now.is = objectDifferent
	now.result, now.detail = j.NotPlanned(c.Step)
	return now, nil
}

// compare compares what images and namespaces have in common. The updated_at of an
// object in which this run itself has changed something does not count.
func (c *change) compare(at time.Time, st registry.Status, visibility registry.Visibility, updated time.Time) condition {
	if c.r.isTouched(c.Ref) {
		updated = c.UpdatedAt
	}
	changes := !c.Action.Deletes() && st == registry.StatusReady
	moved := c.Moved("", "", st, updated)
	switch {
	case st == registry.StatusDeleting:
		return condition{is: objectDeleting, at: at}
	case changes && visibility == c.To:
		return condition{is: objectReached, at: at}
	case changes && visibility != c.From:
		return different("it is " + string(visibility) + " now")
	case moved != "":
		return different(moved)
	}
	return condition{at: at}
}

func different(detail string) condition { return condition{is: objectDifferent, detail: detail} }
