package apply

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// maxOpen is how many units may be worked on, watched or about to be tried again
// at the same time. Where the API takes long to delete, it bounds how far the run
// goes ahead of it.
const maxOpen = 4096

// run is one application of a plan.
type run struct {
	steps   []actions.Step
	o       Options
	editor  Editor
	journal Journal
	// caller is the context of Apply; when it is done, nothing new is begun.
	caller context.Context
	// calls is that of the API calls. It outlives the caller's by the grace.
	calls context.Context
	cut   context.CancelCauseFunc
	slots chan struct{}
	// untag lets one deletion at a time pass that leaves a sibling behind, until
	// enough of them have shown that the API only untags.
	untag  chan struct{}
	closed []func() bool // what ends with the run

	mu        sync.Mutex
	changed   *sync.Cond // something below has
	results   []actions.StepResult
	stop      error // why nothing new is begun
	lost      []string
	failures  int             // in a row
	touched   map[string]bool // references of objects that the run has changed something of
	resting   int             // units that are open and only wait
	open      int
	untagged  int // deletions that were seen to leave their siblings alone
	proven    int // steps of this phase that were done, or refused by the API itself
	canaries  []*imageRun
	ready     []*unit
	remaining int // units of this phase that have not ended
}

func newRun(ctx context.Context, steps []actions.Step, e Editor, o Options) *run {
	r := &run{
		steps: steps, o: o, editor: e, caller: ctx,
		slots: make(chan struct{}, o.Concurrency), untag: make(chan struct{}, 1),
		results: make([]actions.StepResult, len(steps)), touched: make(map[string]bool),
	}
	r.changed = sync.NewCond(&r.mu)
	r.calls, r.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	r.o.Progress.Steps.Store(int64(len(steps)))
	for i := range steps {
		r.results[i] = actions.StepResult{Ref: steps[i].Ref, Action: steps[i].Action}
	}
	if ctx.Err() != nil {
		r.interrupted() // now, and not some time later
	} else {
		r.closed = append(r.closed, context.AfterFunc(ctx, r.interrupted))
	}
	if o.Kill != nil {
		go func() {
			select {
			case <-o.Kill:
				r.halt(fmt.Errorf("%w: killed", ErrStopped))
				r.cut(errors.New("killed"))
			case <-r.calls.Done():
			}
		}()
	}
	return r
}

// interrupted begins nothing new, and lets the steps in flight finish for a
// while.
func (r *run) interrupted() {
	r.halt(fmt.Errorf("%w: interrupted: %w", ErrStopped, context.Cause(r.caller)))
	grace := time.AfterFunc(r.o.Grace, func() {
		r.cut(fmt.Errorf("interrupted, and not finished within %s", r.o.Grace))
	})
	context.AfterFunc(r.calls, func() { grace.Stop() })
}

func (r *run) close() {
	for _, stop := range r.closed {
		stop()
	}
	r.cut(context.Canceled)
}

// errUnchecked: it is not known whether tags were lost.
var errUnchecked = errors.New("tags may have been lost")

// halt lets the run begin nothing new. The first reason counts, but for the loss
// of tags: every one, and every one that may be, is told before all else.
func (r *run) halt(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stop == nil:
		r.stop = why
	case errors.Is(why, ErrLost), errors.Is(why, errUnchecked):
		r.stop = fmt.Errorf("%w; and %w", why, r.stop)
	default:
		return
	}
	r.changed.Signal()
	r.o.Logger.Info("the run stops: nothing more is begun", "reason", why)
}

// stopped says why nothing new is begun, and nil while it may.
func (r *run) stopped() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stop
}

// phase does units, and everything that waits for them.
func (r *run) phase(units []*unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proven, r.canaries, r.remaining = 0, nil, len(units)
	for _, u := range units {
		if u.waits == 0 {
			r.ready = append(r.ready, u)
		}
	}
	slices.Reverse(r.ready) // it is a stack, so that an image is finished before the next is begun
	stuck := units
	for r.remaining > 0 {
		switch {
		case len(r.ready) > 0 && r.mayOpen():
			u := r.ready[len(r.ready)-1]
			r.ready = r.ready[:len(r.ready)-1]
			r.open++
			go r.do(u)
		case len(r.ready) == 0 && r.open == 0:
			// Attachments of each other: none comes first, so one of them must. It
			// finds its subject still there, and is blocked.
			for stuck[0].waits <= 0 {
				stuck = stuck[1:]
			}
			stuck[0].waits = 0
			r.ready = append(r.ready, stuck[0])
		default:
			r.changed.Wait()
		}
	}
	r.inspectCanaries()
}

// mayOpen says whether another unit may be begun. The caller holds r.mu.
func (r *run) mayOpen() bool {
	if r.proven < r.o.Canary {
		return r.open == 0
	}
	if len(r.canaries) > 0 {
		if r.open > 0 {
			return false
		}
		r.inspectCanaries()
	}
	// Twice the slots: while some write to the journal, others use them.
	return r.open < maxOpen && r.open-r.resting < 2*r.o.Concurrency
}

// do does one unit and makes those ready that waited for it.
func (r *run) do(u *unit) {
	t := &turn{run: r}
	t.work(u)
	t.give()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proven < r.o.Canary {
		r.countProven(u)
	}
	r.open--
	r.remaining--
	var free []*unit
	for _, next := range u.then {
		if next.waits--; next.waits == 0 {
			free = append(free, next)
		}
	}
	slices.Reverse(free)
	r.ready = append(r.ready, free...)
	if img := u.image; img != nil && u.work == deleteTags {
		if img.left--; img.left == 0 && !slices.Contains(r.canaries, img) {
			img.forget()
		}
	}
	r.changed.Signal()
}

// work does what there is to do of a unit. A bug in it stops the run, and what
// was not decided yet has failed: nobody knows how far it came.
func (t *turn) work(u *unit) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		t.run.o.Logger.Error("a step panicked", "panic", p, "stack", string(debug.Stack()))
		t.run.halt(fmt.Errorf("%w: a bug in the program: panic: %v", ErrStopped, p))
		for _, i := range u.steps {
			if t.run.results[i].Result == "" {
				t.run.results[i].Result, t.run.results[i].Detail = actions.ResultFailed, fmt.Sprintf("a bug in the program, and it is not known how far it came: panic: %v", p)
			}
		}
	}()
	switch u.work {
	case examineImage:
		t.examine(u.image)
	case deleteTags:
		t.deleteGroup(u)
	default:
		t.single(u)
	}
}

// countProven counts towards the canary what has shown what the API does: a step
// that was done, or that the API itself refused. The caller holds r.mu.
func (r *run) countProven(u *unit) {
	for _, i := range u.steps {
		result := r.results[i].Result
		if result == actions.ResultDone || result == actions.ResultBlocked {
			r.proven++
		}
		sent := result == actions.ResultDone || result == actions.ResultFailed
		if sent && u.work == deleteTags && !slices.Contains(r.canaries, u.image) {
			r.canaries = append(r.canaries, u.image)
		}
	}
}

// inspectCanaries checks that all that stays in the images of the canary is still
// what it was. The caller holds r.mu.
func (r *run) inspectCanaries() {
	canaries := r.canaries
	r.canaries = nil
	r.mu.Unlock()
	(&turn{run: r}).inspectAll(canaries)
	r.mu.Lock()
	for _, img := range canaries {
		if img.left == 0 {
			img.forget()
		}
	}
}

// inspectAll looks at images. After a bug in it nobody knows whether tags were
// lost, and nothing more is begun.
func (t *turn) inspectAll(images []*imageRun) {
	defer t.give()
	defer func() {
		if p := recover(); p != nil {
			t.run.o.Logger.Error("looking for lost tags panicked", "panic", p, "stack", string(debug.Stack()))
			t.run.halt(fmt.Errorf("%w: %w: a bug in the program: panic: %v", ErrStopped, errUnchecked, p))
		}
	}()
	for _, img := range images {
		t.inspect(img)
	}
}

// outcome counts the results.
func (r *run) outcome() (*actions.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, err := actions.NewOutcome(r.results)
	if err != nil {
		return nil, err // a step without a result: there is none
	}
	o.Lost = slices.Sorted(slices.Values(r.lost))
	if r.stop != nil && (o.Skipped > 0 || o.Failed > 0 || len(o.Lost) > 0) {
		o.Stopped = r.stop.Error()
		return o, r.stop
	}
	return o, nil
}
