package apply

import (
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// settle gives a step its result.
func (r *run) settle(i int, result actions.Result, detail string) actions.StepResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	res := &r.results[i]
	res.Result, res.Detail, res.At = result, detail, r.o.Now()
	r.o.Progress.Finished.Add(1)
	switch result {
	case actions.ResultDone:
		r.o.Progress.Done.Add(1)
	case actions.ResultFailed:
		r.o.Progress.Failed.Add(1)
	}
	r.o.Logger.Debug("step", "action", res.Action, "ref", res.Ref, "result", result, "detail", detail)
	return *res
}

// strike counts a failure for the circuit breaker; a step that was done starts
// its count anew. Steps that were not tried say nothing.
func (r *run) strike(failed bool, detail string) {
	r.mu.Lock()
	if !failed {
		r.failures = 0
		r.mu.Unlock()
		return
	}
	r.failures++
	n := r.failures
	r.mu.Unlock()
	if n >= r.o.Breaker {
		r.halt(fmt.Errorf("%w: %s in a row failed, the last one so: %s", ErrStopped, text.Count(n, "step"), detail))
	}
}

// touch notes that a step is about to change something, so that the updated_at
// of what it is in no longer tells of others. That of its own object does so
// until the step has ended.
func (r *run) touch(s *actions.Step, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	namespace, image := containers(s)
	for _, ref := range []string{namespace, image} {
		if ref != "" && (ref != s.Ref || ended) {
			r.touched[ref] = true
		}
	}
}

func (r *run) isTouched(s *actions.Step) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.touched[s.Ref]
}

// lose notes tags that should have stayed and did not, and stops everything.
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
