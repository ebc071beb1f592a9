package apply

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/copies"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/places"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// maxOpen is how many images or steps may be worked on or watched at once. Where
// the API takes long to delete, it bounds how far the run goes ahead of it.
const maxOpen = 256

// haltedPause is the longest pause between two readings once nothing more is sent.
const haltedPause = 500 * time.Millisecond

// run is what the images and steps of one application of a plan share.
type run struct {
	Environment
	o     Options
	steps []actions.Step
	// caller is the context of Apply: when it is done, nothing more is sent. calls is
	// that of the requests, which outlives it by the grace.
	caller, calls context.Context
	awake         context.Context // ends when nothing more is sent, and wakes up what rests
	wake          context.CancelFunc
	cut           context.CancelCauseFunc
	unwatch       func() bool   // the caller's context
	slots         chan struct{} // one for each request in flight
	copies        copies.Room
	proof         chan struct{}       // held by the one deletion that may leave a sibling behind unproven
	room          *semaphore.Weighted // for the images that make requests
	places        *places.Places

	others  map[string]bool // references of images that have other steps than deletions of tags
	first   sync.Map        // decisions about those images, before this run changed anything in them
	touched sync.Map        // references of objects in which this run has changed something

	mu        sync.Mutex
	results   []actions.StepResult
	journaled []bool
	// unrecorded: a result is not in the journal.
	unrecorded bool
	stop       error // why nothing more is sent
	lost       []string
	failures   int // in a row
	confirmed  int // deletions of tags: the canary
	untagged   int // deletions that were seen to leave other tags of their digest alone
}

func newRun(ctx context.Context, steps []actions.Step, e Environment, o Options) *run {
	r := &run{
		Environment: e, o: o, steps: steps, caller: ctx,
		slots: make(chan struct{}, o.Concurrency), copies: make(copies.Room, copiesAhead*o.Concurrency), proof: make(chan struct{}, 1),
		results: make([]actions.StepResult, len(steps)), journaled: make([]bool, len(steps)), others: map[string]bool{},
	}
	r.room = semaphore.NewWeighted(r.allRoom())
	r.calls, r.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	r.places = places.New(r.calls, e.Registry, r.slot)
	r.awake, r.wake = context.WithCancel(r.calls)
	r.o.Progress.Steps.Store(int64(len(steps)))
	for i := range steps {
		r.results[i] = actions.StepResult{Ref: steps[i].Ref, Action: steps[i].Action}
		if steps[i].Action != actions.DeleteTag {
			r.others[steps[i].Ref] = true
		}
	}
	if ctx.Err() != nil {
		r.interrupted() // now, and not some time later
	} else {
		r.unwatch = context.AfterFunc(ctx, r.interrupted)
	}
	return r
}

// interrupted sends nothing more, and gives what was sent some time to be confirmed.
func (r *run) interrupted() {
	r.halt(fmt.Errorf("%w: interrupted: %w", ErrStopped, context.Cause(r.caller)))
	grace := time.AfterFunc(r.o.Grace, func() {
		r.cut(fmt.Errorf("interrupted, and not confirmed within %s", r.o.Grace))
	})
	context.AfterFunc(r.calls, func() { grace.Stop() })
}

func (r *run) close() {
	if r.unwatch != nil {
		r.unwatch()
	}
	r.cut(context.Canceled)
}

// errUnchecked: whether a tag was lost is not known.
var errUnchecked = errors.New("a tag may have been lost")

// halt sends nothing more. The first reason counts, but a loss of tags, or what may
// be one, is always reported, before everything else.
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
	r.wake()
	r.o.Logger.Info("the run stops: nothing more is sent", "reason", why)
}

// stopped is why nothing more is sent, and nil while it may be.
func (r *run) stopped() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stop
}

// lose records what is gone without a step, and stops everything.
func (r *run) lose(refs []string, why string) {
	r.mu.Lock()
	for _, ref := range refs {
		if !slices.Contains(r.lost, ref) {
			r.lost = append(r.lost, ref)
		}
	}
	r.mu.Unlock()
	r.halt(fmt.Errorf("%w: %s: %s", ErrLost, text.Some(refs), why))
}

// images reconciles every image, several side by side. An image that makes requests
// takes room, as much as it has deletions to send, and one that only waits does not.
func (r *run) images(images []*image) {
	for _, img := range images {
		r.places.Of(img.ref).Expect(img.id)
	}
	open := make(chan struct{}, maxOpen)
	var all sync.WaitGroup
	for _, img := range images {
		w := newReconciler(r, img)
		open <- struct{}{}
		w.enter()
		all.Go(func() {
			defer func() { <-open }()
			defer w.leave()
			r.contain(img.steps, w.run)
		})
	}
	all.Wait()
}

// roomFor is how much room an image takes: up to half of it, so that another image is
// read while one sends, and all of it until the canary is confirmed.
func (r *run) roomFor(deletions int) int64 {
	if r.isCanary() {
		return r.allRoom()
	}
	return int64(min(max(deletions, 1), r.o.Concurrency))
}

func (r *run) allRoom() int64 { return int64(2 * r.o.Concurrency) }

// isCanary reports whether deletions are confirmed one at a time.
func (r *run) isCanary() bool {
	_, confirmed := r.evidence()
	return confirmed < r.o.Canary
}

// rest waits without a request in flight, and not beyond the end of the run.
func (r *run) rest(d time.Duration) {
	// The loop that rests looks by itself at why it was woken up.
	_ = clock.Sleep(r.awake, d)
	if r.awake.Err() != nil {
		_ = clock.Sleep(r.calls, min(d, haltedPause))
	}
}

// slot waits until a request may be made. Release it afterwards.
func (r *run) slot() (release func()) {
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }
	case <-r.calls.Done(): // every request fails at once
		return func() {}
	}
}

// each calls f for 0 to n-1, at most maxOpen at a time.
func (r *run) each(n int, f func(int)) {
	var group errgroup.Group
	group.SetLimit(maxOpen)
	for i := range n {
		group.Go(func() error {
			f(i)
			return nil
		})
	}
	_ = group.Wait() // f returns nothing
}

// contain turns a panic into failed steps and the end of the run: how far the steps
// had come is not known.
func (r *run) contain(steps []int, f func()) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r.o.Logger.Error("a step panicked", "panic", p, "stack", string(debug.Stack()))
		r.halt(fmt.Errorf("%w: a bug in the program: panic: %v", ErrStopped, p))
		for _, i := range steps {
			r.setResult(i, actions.ResultFailed, fmt.Sprintf("a bug in the program, and how far it came is not known: panic: %v", p))
		}
	}()
	f()
}

// conclude gives a step that was tried its result, which it returns. An object alone may
// be denied; where nothing is accepted, the rights are missing.
func (r *run) conclude(st *step, p *places.Place, result actions.Result, detail string) actions.Result {
	if st.sent() {
		r.o.Progress.Watched.Add(-1)
	}
	if errors.Is(st.err, registry.ErrDenied) && result == actions.ResultBlocked && !p.Works() {
		result = actions.ResultFailed
	}
	r.setResult(st.index, result, detail)
	return result
}

// setResult gives a step its result, unless it has one, and records it if the journal
// knows the step.
func (r *run) setResult(i int, result actions.Result, detail string) {
	r.mu.Lock()
	res := &r.results[i]
	if res.Result != "" {
		r.mu.Unlock()
		return
	}
	res.Result, res.Detail, res.At = result, detail, r.o.Now()
	recorded, journaled := *res, r.journaled[i]
	if result == actions.ResultDone {
		r.failures = 0
		r.o.Progress.Done.Add(1)
	}
	if result == actions.ResultFailed {
		r.o.Progress.Failed.Add(1)
	}
	r.mu.Unlock()
	r.o.Progress.Finished.Add(1)
	r.o.Logger.Debug("step", "action", recorded.Action, "ref", recorded.Ref, "result", result, "detail", detail)
	if !journaled {
		return
	}
	// Whether a result is recorded must not depend on the moment of a signal.
	if err := r.Journal.Done(context.WithoutCancel(r.calls), recorded); err != nil {
		r.mu.Lock()
		r.unrecorded = true
		r.mu.Unlock()
		r.halt(fmt.Errorf("%w: the journal cannot be written: %w", ErrStopped, err))
	}
}

// intend records a step before it is sent, and reports whether it may be sent.
func (r *run) intend(i int) bool {
	if r.stopped() != nil {
		return false
	}
	r.mu.Lock()
	known := r.journaled[i]
	r.mu.Unlock()
	if known {
		return true
	}
	if err := r.Journal.Intend(r.calls, r.steps[i]); err != nil {
		r.halt(fmt.Errorf("%w: the journal cannot be written: %w", ErrStopped, err))
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.journaled[i] = true
	return r.stop == nil
}

// strike counts a failure for the circuit breaker. Deletions that only take long,
// and missing rights, do not count.
func (r *run) strike(detail string) {
	r.mu.Lock()
	r.failures++
	n := r.failures
	r.mu.Unlock()
	if n >= r.o.Breaker {
		r.halt(fmt.Errorf("%w: %s in a row failed, the last one with: %s", ErrStopped, text.Count(n, "step"), detail))
	}
}

// refuse stops the run when the credentials are refused: no request will succeed.
func (r *run) refuse(err error) {
	if errors.Is(err, registry.ErrUnauthenticated) {
		r.halt(fmt.Errorf("%w: the API refuses the credentials: %w", ErrStopped, err))
	}
}

// touch notes that this run changes something in an object, so that its updated_at
// no longer tells of others.
func (r *run) touch(refs ...string) {
	for _, ref := range refs {
		r.touched.Store(ref, true)
	}
}

func (r *run) isTouched(ref string) bool {
	_, touched := r.touched.Load(ref)
	return touched
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
	if r.stop != nil && (r.unrecorded || o.Skipped > 0 || o.Failed > 0 || len(o.Lost) > 0) {
		o.Stopped = r.stop.Error()
		return o, r.stop
	}
	return o, nil
}
