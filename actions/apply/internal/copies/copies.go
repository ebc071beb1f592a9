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
	None   State = iota
	Making       // or it waits for room
	Made         // or the tag may be deleted without a copy
	Failed       // the tag must not be deleted
)

// Copy is the copy of a tag, or why there is none.
type Copy struct {
	State    State
	Archived *actions.Archived
	Err      error
}

// Queue makes the copies for one image. Only one goroutine may call its methods. A nil
// queue says of every tag that it may be deleted.
type Queue struct {
	do      Func
	room    Room
	ctx     context.Context
	cancel  context.CancelFunc
	all     sync.WaitGroup
	waiting []*actions.Step
	made    chan made // as large as the room: making never waits for it
	copies  map[*actions.Step]Copy
	making  int
}

type made struct {
	step *actions.Step
	Copy
}

// NewQueue makes a queue whose copies end with ctx. End it.
func NewQueue(ctx context.Context, room Room, do Func) *Queue {
	q := &Queue{do: do, room: room, made: make(chan made, cap(room)), copies: map[*actions.Step]Copy{}}
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
	if q != nil {
		q.waiting = steps
		q.fill()
	}
}

func (q *Queue) fill() {
	for len(q.waiting) > 0 && q.making < cap(q.made) {
		s := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.copies[s] = Copy{State: Making}
		q.making++
		q.all.Go(func() { q.make(s) })
	}
}

func (q *Queue) make(s *actions.Step) {
	select {
	case q.room <- struct{}{}:
		defer func() { <-q.room }()
	case <-q.ctx.Done():
		q.made <- made{step: s}
		return
	}
	c := Copy{State: Made}
	c.Archived, c.Err = q.do(q.ctx, s)
	if optional := new(actions.UncopiedError); c.Err != nil && !errors.As(c.Err, &optional) {
		c.State = Failed
	}
	q.made <- made{s, c}
}

// IsMaking reports whether any copy is being made.
func (q *Queue) IsMaking() bool { return q != nil && q.making > 0 }

// Collect notes the copies that have been made.
func (q *Queue) Collect() {
	for q != nil && len(q.made) > 0 {
		q.note(<-q.made)
	}
}

// Wait waits for one more copy, and reports false if ctx is done before. Some copy must
// be being made.
func (q *Queue) Wait(ctx context.Context) bool {
	select {
	case x := <-q.made:
		q.note(x)
		return true
	case <-ctx.Done():
		return false
	}
}

func (q *Queue) note(x made) {
	q.copies[x.step] = x.Copy
	q.making--
	q.fill()
}
