package copies

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
)

func TestCopiesAreMadeInOrderAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := make([]*actions.Step, 5)
		for i := range steps {
			steps[i] = &actions.Step{Ref: fmt.Sprint(i)}
		}
		broken, spare := errors.New("broken"), &actions.UncopiedError{Err: errors.New("spare")}
		q := NewQueue(t.Context(), make(Room, 2), func(ctx context.Context, s *actions.Step) (*actions.Archived, error) {
			if err := clock.Sleep(ctx, time.Second); err != nil {
				return nil, err
			}
			return &actions.Archived{To: s.Ref}, map[string]error{"1": broken, "2": fmt.Errorf("of 2: %w", spare)}[s.Ref]
		})
		began := time.Now()
		q.Want(steps)
		states := func() (all []State) {
			for _, s := range steps {
				all = append(all, q.Of(s).State)
			}
			return all
		}
		want := func(states []State, is ...State) {
			t.Helper()
			if fmt.Sprint(states) != fmt.Sprint(is) {
				t.Errorf("%v, want %v", states, is)
			}
		}
		time.Sleep(1500 * time.Millisecond)
		want(states(), None, None, None, None, None) // until they are collected
		q.Want(steps[1:])                            // what is begun is not begun again
		q.Collect()
		want(states(), Made, Failed, None, None, None)
		if made := q.Wait(t.Context()); len(made) == 0 || time.Since(began) != 2*time.Second {
			t.Errorf("%d copies after %s", len(made), time.Since(began))
		}
		synctest.Wait()
		q.Collect()
		want(states(), Made, Failed, Made, Made, None)
		if q.Of(steps[0]).Archived.To != "0" || !errors.Is(q.Of(steps[1]).Err, broken) || q.Of(steps[2]).Err == nil {
			t.Errorf("%+v %+v %+v", q.Of(steps[0]), q.Of(steps[1]), q.Of(steps[2]))
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if q.Wait(soon) != nil || !q.IsMaking() {
			t.Error("a copy came before its time")
		}
		q.End()
	})
}

func TestWithoutAQueueEverythingMayBeDeleted(t *testing.T) {
	var q *Queue
	q.Want([]*actions.Step{{}})
	q.Collect()
	q.End()
	if q.IsMaking() || q.Of(&actions.Step{}).State != Made {
		t.Error("something waits for a copy")
	}
}

func TestNothingIsBeingMadeOnceTheRunHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		room := make(Room, 2)
		room <- struct{}{} // of other images
		room <- struct{}{}
		q := NewQueue(ctx, room, func(context.Context, *actions.Step) (*actions.Archived, error) { return nil, nil })
		step := &actions.Step{}
		q.Want([]*actions.Step{step})
		cancel()
		synctest.Wait()
		q.Collect()
		if q.IsMaking() || q.Of(step).State != None {
			t.Errorf("making %v, %+v", q.IsMaking(), q.Of(step))
		}
	})
}
