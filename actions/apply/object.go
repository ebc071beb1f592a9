package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// objects carries out steps on images and namespaces: the first few one at a time,
// then side by side.
func (r *run) objects(steps []int) {
	proven := 0
	for len(steps) > 0 && proven < r.o.Canary {
		i := steps[0]
		steps = steps[1:]
		r.contain([]int{i}, func() { r.object(i) })
		if r.hasProven(i) {
			proven++
		}
	}
	r.each(len(steps), func(k int) {
		r.contain(steps[k:k+1], func() { r.object(steps[k]) })
	})
}

func (r *run) hasProven(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.results[i].Result == actions.ResultDone || r.results[i].Result == actions.ResultBlocked
}

// change is one step on an image or a namespace while it is carried out.
type change struct {
	step
	r     *run
	place *place
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
// again.
func (r *run) object(i int) {
	s := &r.steps[i]
	c := &change{step: step{Step: s, index: i}, r: r, place: r.places.of(s.Region, s.Namespace)}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if why := r.stopped(); why != nil && !c.sent() {
			r.settle(i, actions.ResultSkipped, why.Error())
			return
		}
		now, err := c.read()
		result, detail := c.decide(now, err)
		if result != "" {
			c.end(result, detail, err)
			return
		}
		if err == nil && now.is == objectAsPlanned && c.mayBeSent(now) {
			if !r.intend(i) {
				r.settle(i, actions.ResultSkipped, cause(r.calls)+stopText(r.stopped()))
				return
			}
			c.sendChange(now.at.Add(MaxReadingAge))
			continue
		}
		r.rest(pause)
	}
}

func stopText(why error) string {
	if why == nil {
		return ""
	}
	return why.Error()
}

func (c *change) end(result actions.Result, detail string, err error) {
	c.r.refuse(err)
	if c.sent() {
		c.r.o.Progress.Watched.Add(-1)
	}
	if errors.Is(c.err, registry.ErrDenied) && result == actions.ResultBlocked && !c.place.works() {
		result = actions.ResultFailed
	}
	c.r.settle(c.index, result, detail)
	slow := c.sent() && clock.Now().Sub(c.since) >= c.r.o.ConfirmTimeout
	if result == actions.ResultFailed && !slow && !errors.Is(err, registry.ErrDenied) {
		c.r.strike(detail)
	}
}

// decide is the result that follows from a reading, "" while there is none.
func (c *change) decide(now condition, err error) (actions.Result, string) {
	passed := clock.Now().Sub(c.since)
	switch {
	case c.r.calls.Err() != nil && c.sent():
		return actions.ResultFailed, "it was sent, and is not confirmed: " + cause(c.r.calls)
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
	case now.is == objectAsPlanned && c.tries >= maxTries && !c.sent():
		detail := fmt.Sprintf("%v (sent %d times)", c.err, c.tries)
		if errors.Is(c.err, registry.ErrConflict) || errors.Is(c.err, registry.ErrDenied) {
			return actions.ResultBlocked, detail
		}
		return actions.ResultFailed, detail
	}
	return "", ""
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

func (c *change) sendChange(before time.Time) {
	defer c.r.slot()()
	s, g, ctx := c.Step, c.r.Registry, c.r.calls
	if c.tries == 0 && c.Action == actions.DeleteImage {
		c.r.touch(namespaceRef(s))
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
		return
	}
	c.tries++
	c.at, c.err, c.open = clock.Now(), err, errors.Is(err, registry.ErrUnknownOutcome)
	c.place.answered(s.ID, err)
	c.r.refuse(err)
	if (err == nil || c.open) && c.since.IsZero() {
		c.since = c.at
		c.r.o.Progress.Watched.Add(1)
		c.r.touch(s.Ref, namespaceRef(s))
	}
}

// read reads the object afresh and compares it with the step and, before anything
// was sent for it, with what the policies in force plan.
func (c *change) read() (condition, error) {
	defer c.r.slot()()
	if c.Image == "" {
		return c.readNamespace(c.r.calls)
	}
	return c.readImage(c.r.calls)
}

func (c *change) readImage(ctx context.Context) (condition, error) {
	g, s := c.r.Registry, c.Step
	var tags []registry.Tag
	var at time.Time
	if !c.sent() {
		var err error
		if tags, at, err = g.ListTags(ctx, s.Region, s.ID); err != nil && !errors.Is(err, registry.ErrNotFound) {
			return condition{}, err
		}
	}
	img, read, err := g.GetImage(ctx, s.Region, s.ID)
	if err != nil {
		return absence(err)
	}
	if at.IsZero() {
		at = read
	}
	now := c.compare(img.Status, img.Visibility, img.UpdatedAt, s.Ref)
	now.at = at
	switch {
	case now.is != objectAsPlanned || c.sent():
		return now, nil
	case img.Name != s.Image:
		return different("it is named " + img.Name), nil
	case c.Action == actions.DeleteImage && len(tags) > 0:
		return different("it is not empty any more: it has " + text.Count(len(tags), "tag")), nil
	case c.Action == actions.DeleteImage && len(img.TagNames) > 0:
		return different("it is not empty any more: it names " + text.Count(len(img.TagNames), "tag")), nil
	case c.Action == actions.DeleteImage && img.SizeBytes > 0:
		return different(fmt.Sprintf("it is not empty any more: it has a size of %d bytes", img.SizeBytes)), nil
	}
	ns, _, err := g.GetNamespace(ctx, s.Region, img.NamespaceID)
	if err != nil {
		return condition{}, err
	}
	if ns.Name != s.Namespace {
		return different("it is in the namespace " + ns.Name), nil
	}
	return c.judged(ctx, now, Subject{Namespace: &ns, Image: newReading(at, img, tags, nil).image(&ns)})
}

func (c *change) readNamespace(ctx context.Context) (condition, error) {
	g, s := c.r.Registry, c.Step
	var images []registry.Image
	var at time.Time
	if c.Action == actions.DeleteNamespace && !c.sent() {
		var err error
		if images, at, err = g.ListImages(ctx, s.Region, s.ID); err != nil && !errors.Is(err, registry.ErrNotFound) {
			return condition{}, err
		}
	}
	ns, read, err := g.GetNamespace(ctx, s.Region, s.ID)
	if err != nil {
		return absence(err)
	}
	if at.IsZero() {
		at = read
	}
	now := c.compare(ns.Status, ns.Visibility(), ns.UpdatedAt, s.Ref)
	now.at = at
	switch {
	case now.is != objectAsPlanned || c.sent():
		return now, nil
	case ns.Name != s.Namespace:
		return different("it is named " + ns.Name), nil
	case c.Action == actions.DeleteNamespace && len(images) > 0:
		return different("it is not empty any more: it has " + text.Count(len(images), "image")), nil
	case c.Action == actions.DeleteNamespace && ns.ImageCount > 0:
		return different("it is not empty any more: the API counts " + text.Count(int(min(ns.ImageCount, 1<<31-1)), "image")), nil
	}
	return c.judged(ctx, now, Subject{Namespace: &ns, Empty: c.Action == actions.DeleteNamespace})
}

// judged asks the policies in force about the object, unless this run has changed
// something in it: then what they made of it before counts.
func (c *change) judged(ctx context.Context, now condition, s Subject) (condition, error) {
	j, known := c.r.recall(c.Ref)
	if !known || !c.r.isTouched(c.Ref) {
		var err error
		if j, err = c.r.Judge(ctx, s); err != nil {
			c.r.halt(fmt.Errorf("%w: %w", ErrStopped, err))
			return condition{}, err
		}
	}
	for i := range j.Steps {
		if p := &j.Steps[i]; p.Action == c.Action && p.Ref == c.Ref && p.To == c.To {
			return now, nil
		}
	}
	now.is = objectDifferent
	now.result, now.detail = notPlanned(&j, c.Step)
	return now, nil
}

// compare compares what images and namespaces have in common. The updated_at of an
// object in which this run itself has changed something does not count.
func (c *change) compare(st registry.Status, visibility registry.Visibility, updated time.Time, ref string) condition {
	switch deletes := c.Action.Deletes(); {
	case st == registry.StatusDeleting:
		return condition{is: objectDeleting}
	case st != registry.StatusReady:
		return different("its status is " + status(st))
	case !deletes && visibility == c.To:
		return condition{is: objectReached}
	case !deletes && visibility != c.From:
		return different("it is " + string(visibility) + " now")
	case !updated.Equal(c.UpdatedAt) && !c.r.isTouched(ref):
		return different("it was updated at " + stamp(updated) + ", after it was planned")
	}
	return condition{is: objectAsPlanned}
}

func different(detail string) condition { return condition{is: objectDifferent, detail: detail} }

// absence tells an object that is not there from one that cannot be read.
func absence(err error) (condition, error) {
	if errors.Is(err, registry.ErrNotFound) {
		return condition{is: objectAbsent}, nil
	}
	return condition{}, err
}
