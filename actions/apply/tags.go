package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// deleteGroup deletes the tags of one digest of one image, one after the other. A
// tag of the digest that is still there afterwards makes the others stay, unless
// the API is known to untag only and nothing was sent for it.
func (t *turn) deleteGroup(u *unit) {
	t.take()
	if u.image.verdict != "" {
		for _, i := range u.steps {
			t.leaveAlone(u.image, i)
		}
		return
	}
	if len(u.siblings) > 0 {
		defer t.alone()()
	}
	g := &group{turn: t, unit: u, stays: u.blocked}
	steps := u.steps
	if g.stays == "" && len(steps) > 1 {
		steps = g.check()
	}
	for _, i := range steps {
		g.delete(i)
	}
}

// group is the tags of one digest while they are deleted.
type group struct {
	*turn
	*unit
	// stays says what keeps the rest of the digest from being deleted, or is "".
	stays string
	// tried is the last tag for whose deletion something was sent.
	tried string
}

// delete deletes one tag, unless it must stay.
func (g *group) delete(i int) {
	r := g.run
	c := g.deletion(i)
	why := g.stays
	if why == "" {
		why = g.subjectStays(i)
	}
	if why != "" && r.stopped() == nil {
		result, detail := g.leftBehind(c, actions.ResultBlocked, why)
		r.settle(i, result, detail)
		return
	}
	result, sent := g.carryOut(c)
	if sent {
		g.tried = r.steps[i].Tag
		g.checkSiblings(i)
	}
	switch {
	case result == actions.ResultDone, result == actions.ResultGone:
	case g.image.shared == actions.Untag && !sent:
		g.leaves(&r.steps[i])
	default:
		g.stays = r.steps[i].Tag + ", which has the same digest, is still there"
	}
}

// leaves adds a tag that was not deleted to those that other deletions of its
// digest must leave alone.
func (u *unit) leaves(s *actions.Step) {
	u.siblings = append(u.siblings, registry.Tag{ID: s.ID, Name: s.Tag})
}

// leaveAlone gives a step the result of its image, unless its tag is gone.
func (t *turn) leaveAlone(img *imageRun, i int) {
	r := t.run
	// A look that failed was one, even if it is what stopped the run.
	if why := r.stopped(); why != nil && img.verdict != actions.ResultFailed {
		r.settle(i, actions.ResultSkipped, why.Error())
		return
	}
	s := &r.steps[i]
	if img.verdict == actions.ResultChanged && !img.listed[s.ID] {
		if _, err := r.editor.GetTag(r.calls, s.Region, s.ID); errors.Is(err, registry.ErrNotFound) {
			r.settle(i, actions.ResultGone, "it was not there any more")
			return
		}
	}
	r.settle(i, img.verdict, img.detail)
}

// alone waits until no other unit deletes a tag and leaves a sibling behind, for
// as long as it is not proven that the siblings stay.
func (t *turn) alone() (release func()) {
	r := t.run
	r.mu.Lock()
	proven := r.untagged >= r.o.Canary
	r.mu.Unlock()
	if proven {
		return func() {}
	}
	t.give()
	defer t.take()
	select {
	case r.untag <- struct{}{}:
		return func() { <-r.untag }
	case <-r.calls.Done():
		return func() {}
	}
}

// check reads all tags of the digest before the first of them goes, and returns
// the steps that can be tried.
func (g *group) check() (steps []int) {
	r := g.run
	for _, i := range g.steps {
		if r.stopped() != nil {
			steps = append(steps, i) // to be skipped
			continue
		}
		s := &r.steps[i]
		tag, err := r.editor.GetTag(r.calls, s.Region, s.ID)
		seen, err := g.image.sightOfTag(s, tag, err)
		switch {
		case err != nil:
			r.haltIfDenied(err)
			detail := "it could not be read: " + err.Error()
			r.strike(true, detail)
			r.settle(i, actions.ResultFailed, detail)
			g.stay(s, "could not be read")
		case seen.is == other:
			r.settle(i, actions.ResultChanged, seen.detail)
			if tag.Digest == s.Digest {
				g.stay(s, "stays: "+seen.detail)
			}
		case seen.is == deleting:
			r.settle(i, actions.ResultChanged, "it is being deleted already")
		case seen.is == absent:
			r.settle(i, actions.ResultGone, "it was not there any more")
		default:
			steps = append(steps, i)
		}
	}
	return steps
}

// stay makes the others of the digest stay with a tag that does, or be careful of
// it where the API is known to untag only.
func (g *group) stay(s *actions.Step, why string) {
	if g.image.shared == actions.Untag {
		g.leaves(s)
		return
	}
	g.stays = s.Tag + ", which has the same digest, " + why
}

// sightOfTag holds a tag, just read, against its step.
func (img *imageRun) sightOfTag(s *actions.Step, tag registry.Tag, err error) (sight, error) {
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return sight{is: absent}, nil
	case err != nil:
		return sight{}, err
	case tag.Status == registry.StatusDeleting:
		return sight{is: deleting}, nil
	case tag.Status != registry.StatusReady:
		return sight{other, "its status is " + tag.Status.OrMissing()}, nil
	case tag.Name != s.Tag:
		return sight{other, "it is named " + tag.Name + " now"}, nil
	case tag.Digest != s.Digest:
		return sight{other, "it has another digest now: " + tag.Digest}, nil
	case !tag.UpdatedAt.Equal(s.UpdatedAt):
		return sight{other, "it was updated at " + stamp(tag.UpdatedAt) + ", after it was judged"}, nil
	case img != nil && !img.listed[tag.ID]:
		return sight{other, "the listing of its image does not show it"}, nil
	}
	return sight{is: asPlanned}, nil
}

// deletion is the change that a step on a tag asks for.
func (g *group) deletion(i int) change {
	e, s := g.run.editor, &g.run.steps[i]
	read := func(ctx context.Context) (sight, error) {
		tag, err := e.GetTag(ctx, s.Region, s.ID)
		return g.image.sightOfTag(s, tag, err)
	}
	return change{
		step: i, read: read, look: read, follows: g.tried,
		send:   func(ctx context.Context) error { return e.DeleteTag(ctx, s.Region, s.ID) },
		shared: len(g.steps)+len(g.siblings) > 1,
	}
}

// subjectStays says which subject of an attachment is still there, and "" if none
// is.
func (g *group) subjectStays(i int) string {
	r := g.run
	subject := registry.AttachmentSubject(r.steps[i].Tag)
	of := g.image.groups[subject]
	if of == nil && subject != "" {
		return g.image.subjectKept(subject)
	}
	if of == nil || of == g.unit {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range of.steps {
		if result := r.results[k].Result; result != actions.ResultDone && result != actions.ResultGone {
			return "its subject " + r.steps[k].Tag + " is still there"
		}
	}
	return ""
}

// subjectKept says which tag that no step deletes has the subject of an attachment
// that was an orphan when it was judged, and "" if none has.
func (img *imageRun) subjectKept(subject string) string {
	for _, tag := range img.kept {
		if tag.Digest == subject {
			return "its subject is there again, as " + tag.Name
		}
	}
	return ""
}

// checkSiblings reads, after a deletion that must only have untagged, the tags
// with the same digest that stay.
func (g *group) checkSiblings(i int) {
	if len(g.siblings) == 0 {
		return
	}
	r := g.run
	s := &r.steps[i]
	var lost, unread []string
	for _, sibling := range g.siblings {
		tag, err := r.editor.GetTag(r.calls, s.Region, sibling.ID)
		switch {
		case errors.Is(err, registry.ErrNotFound), err == nil && tag.Status == registry.StatusDeleting:
			lost = append(lost, g.image.planned.Ref+":"+sibling.Name)
		case err != nil:
			r.haltIfDenied(err)
			unread = append(unread, g.image.planned.Ref+":"+sibling.Name+" ("+err.Error()+")")
		}
	}
	if len(unread) > 0 {
		r.halt(fmt.Errorf("%w: %w: after the deletion of %s it could not be checked that what has the same digest is still there: %s", ErrStopped, errUnchecked, s.Ref, strings.Join(unread, ", ")))
	}
	if len(lost) > 0 {
		r.lose(lost, "it went with "+s.Ref+", which had the same digest: this API does not only untag; set shared_digest: protect")
	}
	if len(lost)+len(unread) == 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.untagged++
	}
}
