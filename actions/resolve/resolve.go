// Package resolve finds out what became of steps that an interrupted run had recorded
// before it sent them, and of which it recorded no result. It sends nothing but reads.
package resolve

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	firstPause   = 250 * time.Millisecond
	longestPause = 10 * time.Second
	// patience is how long an object may take that is being deleted.
	patience    = 2 * time.Minute
	concurrency = 16
)

// Reader reads objects by their IDs. Errors wrap those of package registry. The times
// are not used.
type Reader interface {
	GetTag(ctx context.Context, region registry.Region, imageID, id string) (registry.Tag, time.Time, error)
	GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error)
	GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, time.Time, error)
}

// Interrupted reads the object of every step, and returns the results in their order.
// A step that was carried out is done; one whose object is as it was planned is
// skipped: the next plan decides about it. An object that is being deleted is read
// again for up to two minutes. A step that could not be read because ctx is done has no result,
// and is left out.
func Interrupted(ctx context.Context, steps []actions.Step, g Reader) []actions.StepResult {
	results := make([]actions.StepResult, len(steps))
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i := range steps {
		group.Go(func() error {
			results[i] = resolve(ctx, &steps[i], g)
			return nil
		})
	}
	_ = group.Wait() // nothing returns an error
	var known []actions.StepResult
	for _, r := range results {
		if r.Result != "" {
			known = append(known, r)
		}
	}
	return known
}

func resolve(ctx context.Context, s *actions.Step, g Reader) actions.StepResult {
	r := actions.StepResult{Ref: s.Ref, Action: s.Action}
	began := clock.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		now, err := readObject(ctx, s, g)
		deleting := err == nil && now.status == registry.StatusDeleting && s.Action.Deletes()
		if deleting && clock.Now().Sub(began) < patience {
			err = clock.Sleep(ctx, pause)
		}
		if err != nil && ctx.Err() != nil {
			return r
		}
		if !deleting || clock.Now().Sub(began) >= patience {
			r.Result, r.Detail = became(s, now, err)
			r.At = clock.Now()
			return r
		}
	}
}

// object is what a reading shows of the object of a step.
type object struct {
	status     registry.Status
	visibility registry.Visibility // of an image or a namespace
	differs    string              // how it differs from what was planned
}

func readObject(ctx context.Context, s *actions.Step, g Reader) (object, error) {
	switch s.Action {
	case actions.DeleteTag:
		tag, _, err := g.GetTag(ctx, s.Region, "", s.ID)
		return object{status: tag.Status, differs: s.Difference(tag)}, err
	case actions.DeleteImage, actions.SetImageVisibility:
		img, _, err := g.GetImage(ctx, s.Region, s.ID)
		return object{img.Status, img.Visibility, s.Moved(s.Image, img.Name, img.Status, img.UpdatedAt)}, err
	default:
		ns, _, err := g.GetNamespace(ctx, s.Region, s.ID)
		return object{ns.Status, ns.Visibility(), s.Moved(s.Namespace, ns.Name, ns.Status, ns.UpdatedAt)}, err
	}
}

// became is the result that follows from a reading.
func became(s *actions.Step, now object, err error) (actions.Result, string) {
	deletes := s.Action.Deletes()
	switch {
	case errors.Is(err, registry.ErrNotFound) && deletes:
		return actions.ResultDone, "it was interrupted, and reading it confirms that it was carried out"
	case errors.Is(err, registry.ErrNotFound):
		return actions.ResultGone, "it was interrupted, and is not there any more"
	case err != nil:
		return actions.ResultFailed, "it was interrupted, and could not be read afterwards: " + err.Error()
	case now.status == registry.StatusDeleting && deletes:
		return actions.ResultFailed, "it was interrupted while it was being deleted, and is not gone yet"
	case now.status == registry.StatusDeleting:
		return actions.ResultChanged, "it is being deleted"
	case !deletes && now.visibility == s.To:
		return actions.ResultDone, "it was interrupted, and reading it confirms that it was carried out"
	case now.differs != "":
		return actions.ResultChanged, now.differs
	case !deletes && now.visibility != s.From:
		return actions.ResultChanged, "it is " + string(now.visibility) + " now"
	}
	return actions.ResultSkipped, "it was interrupted before it was carried out, and is as it was"
}
