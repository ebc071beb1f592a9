// Package copies makes copies of what tags hold, ahead of their deletions. Its nouns:
//
//   - a queue: the tags of one image that are to be copied, a bounded number at once
//   - a state: how far the copy of one tag is
//   - room: what all queues of a run share, so that their copies are bounded together
//
// It must never call a tag copied before its copy function has returned without an
// error, and it decides nothing: whoever deletes asks for the state.
package copies

import (
	"context"
	"errors"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Func copies what the tag of a step holds, and returns once the copy is safe; nil when
// none is wanted. An error that wraps an actions.UncopiedError leaves the tag free to be
// deleted, and any other does not.
type Func func(ctx context.Context, s *actions.Step) (*actions.Archived, error)

// Room bounds how many copies are made at once.
type Room chan struct{}

// State is how far the copy of a tag is.
type State uint8

// The states.
const (
	None   State = iota // not begun, or not collected yet
	Made                // or the tag may be deleted without a copy
	Failed              // the tag must not be deleted
)

// Copy is the copy of a tag, or why there is none.
type Copy struct {
	State    State
	Archived *actions.Archived
	Err      error
}

// Queue makes the copies for one image. Only one goroutine may call its methods; it sees
// a copy once it has collected it. A nil queue says of every tag that it may be deleted.
type Queue struct {
	do     Func
	room   Room
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
	copies map[*actions.Step]Copy // that are collected
	ended  chan struct{}          // has something in it when a copy is to be collected

	mu      sync.Mutex
	waiting []*actions.Step
	begun   map[*actions.Step]bool
	made    []made // and not collected
	making  int    // goroutines that make copies
}

type made struct {
	step *actions.Step
	Copy
}

// NewQueue makes a queue whose copies end with ctx. End it.
func NewQueue(ctx context.Context, room Room, do Func) *Queue {
	q := &Queue{do: do, room: room, copies: map[*actions.Step]Copy{}, ended: make(chan struct{}, 1), begun: map[*actions.Step]bool{}}
	q.ctx, q.cancel = context.WithCancel(ctx)
	return q
}

// End stops what is being copied.
func (q *Queue) End() {
	if q != nil {
		q.cancel()
		q.all.Wait()
	}
}

// Of is the copy of the tag of a step.
func (q *Queue) Of(s *actions.Step) Copy {
	if q == nil {
		return Copy{State: Made}
	}
	return q.copies[s]
}

// Want has the tags of steps copied, in this order. It replaces what was wanted before
// and is not begun yet.
func (q *Queue) Want(steps []*actions.Step) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = steps
	for q.making < cap(q.room) {
		s := q.next()
		if s == nil {
			return
		}
		q.making++
		q.all.Go(func() { q.work(s) })
	}
}

// next takes the next step that is to be copied; nil if there is none.
func (q *Queue) next() *actions.Step {
	for len(q.waiting) > 0 && q.ctx.Err() == nil {
		s := q.waiting[0]
		q.waiting = q.waiting[1:]
		if !q.begun[s] {
			q.begun[s] = true
			return s
		}
	}
	return nil
}

// work makes one copy after the other, whether or not they are collected meanwhile.
func (q *Queue) work(s *actions.Step) {
	for s != nil {
		c := q.make(s)
		q.mu.Lock()
		q.made = append(q.made, made{s, c})
		if s = q.next(); s == nil {
			q.making--
		}
		q.mu.Unlock()
		select {
		case q.ended <- struct{}{}:
		default:
		}
	}
}

func (q *Queue) make(s *actions.Step) (c Copy) {
	select {
	case q.room <- struct{}{}:
		defer func() { <-q.room }()
	case <-q.ctx.Done():
		return Copy{}
	}
	c.State = Made
	c.Archived, c.Err = q.do(q.ctx, s)
	if optional := new(actions.UncopiedError); c.Err != nil && !errors.As(c.Err, &optional) {
		c.State = Failed
	}
	return c
}

// IsMaking reports whether there is or will be a copy to collect.
func (q *Queue) IsMaking() bool {
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.making+len(q.made) > 0
}

// Collect notes the copies that have been made, and returns their steps.
func (q *Queue) Collect() (steps []*actions.Step) {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, x := range q.made {
		q.copies[x.step] = x.Copy
		steps = append(steps, x.step)
	}
	q.made = nil
	return steps
}

// Wait waits until there is something to collect, and collects it; nothing if ctx is done
// before. Some copy must be being made.
func (q *Queue) Wait(ctx context.Context) []*actions.Step {
	for {
		if steps := q.Collect(); len(steps) > 0 {
			return steps
		}
		select {
		case <-q.ended:
		case <-ctx.Done():
			return nil
		}
	}
}
