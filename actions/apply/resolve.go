package apply

import (
	"context"

	"github.com/registry-janitor/registry-janitor/actions"
)

// resolve finds out what became of one interrupted step.
func (r *run) resolve(i int) {
	t := &turn{run: r}
	t.take()
	defer t.give()
	s := &r.steps[i]
	c := change{step: i}
	if s.Action == actions.DeleteTag {
		c.look = func(ctx context.Context) (sight, error) {
			tag, err := r.editor.GetTag(ctx, s.Region, s.ID)
			var unlisted *imageRun
			return unlisted.sightOfTag(s, tag, err)
		}
	} else {
		c = r.changeOf(i)
	}
	seen, err := c.look(r.calls)
	if err != nil {
		r.settle(i, actions.ResultFailed, "it was interrupted, and could not be read afterwards: "+err.Error())
		return
	}
	switch {
	case seen.is == reached, seen.is == absent && s.Action.Deletes():
		r.settle(i, actions.ResultDone, "it was interrupted, and reading it confirms that it was carried out")
	case seen.is == absent:
		r.settle(i, actions.ResultGone, "it was interrupted, and is not there any more")
	case seen.is == deleting && s.Action.Deletes():
		sending := sending{turn: t, change: c}
		result, detail := sending.confirm("it was interrupted while it was being deleted")
		r.settle(i, result, detail)
	case seen.is == asPlanned:
		r.settle(i, actions.ResultSkipped, "it was interrupted before it was carried out, and is as it was")
	case seen.is == deleting:
		r.settle(i, actions.ResultChanged, "it is being deleted")
	default:
		r.settle(i, actions.ResultChanged, seen.detail)
	}
}
