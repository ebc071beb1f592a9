package apply

import (
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// turn is the right of a unit to make API calls. It is given back while the unit
// only waits.
type turn struct {
	run  *run
	held bool
}

func (t *turn) take() {
	if t.held {
		return
	}
	select {
	case t.run.slots <- struct{}{}:
		t.held = true
	case <-t.run.calls.Done(): // every call fails at once
	}
}

func (t *turn) give() {
	if t.held {
		<-t.run.slots
		t.held = false
	}
}

// rest waits without occupying a slot, so that thousands may wait at the same
// time.
func (t *turn) rest(d time.Duration) {
	t.give()
	t.run.rests(1)
	_ = clock.Sleep(t.run.calls, d)
	t.run.rests(-1)
	t.take()
}

func (r *run) rests(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resting += n
	r.changed.Signal() // only phase waits
}
