package policy

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown"
)

// Judging an image has one budget of time for all of its evaluations. The evaluation
// of all packages together ends when three quarters of it are over, so that time is
// left to find out which package is to blame, and what the others mark.
const (
	forAll = 0.75
	forOne = 0.125 // of one package, once the time for all of them is over
)

// budget is what judging one image or namespace may take. The heap is that of the
// whole process: if several images are judged at once, their growth together counts
// for each of them, so that it stays within the limit however many there are. Most
// images are judged before its first timer fires.
type budget struct {
	limits
	heap uint64        // in use before
	lost chan struct{} // closed if an evaluation does not end although it was stopped

	mu      sync.Mutex
	timers  []*time.Timer
	running *evaluation
	spent   bool // the time for all packages together is over
	over    bool // all of the time is over
	closed  bool
}

// evaluation is one of the evaluations that share a budget.
type evaluation struct {
	cancel topdown.Cancel
	shared bool // it is that of all packages
	why    atomic.Pointer[stop]
}

// stop is why an evaluation was stopped.
type stop struct {
	reason string
	memory bool
}

// Error implements error.
func (s *stop) Error() string { return s.reason }

func (l limits) budget() *budget {
	b := &budget{limits: l, heap: heapSize(heapLive), lost: make(chan struct{})}
	first := min(glance, l.timeout/2)
	b.after(first, func() {
		b.after(b.part(forAll)-first, b.spend)
		b.after(b.timeout-first, b.finish)
		b.after(b.timeout-first+b.grace, func() { close(b.lost) })
		b.checkMemory()
	})
	return b
}

func (b *budget) part(share float64) time.Duration { return time.Duration(share * float64(b.timeout)) }

// after does something later, unless the budget is closed by then.
func (b *budget) after(d time.Duration, do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.timers = append(b.timers, time.AfterFunc(d, do))
	}
}

func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, t := range b.timers {
		t.Stop()
	}
}

// begin starts an evaluation within what is left: of all packages, or else of one.
// A built-in package has a moment even if nothing is left, because what it marks must
// not be lost.
func (b *budget) begin(one *rulePackage) *evaluation {
	b.mu.Lock()
	shared := one == nil
	e := &evaluation{cancel: topdown.NewCancel(), shared: shared}
	b.running = e
	spent, over := b.spent, b.over
	b.mu.Unlock()
	switch {
	case over && (shared || !one.builtin):
		e.stop(fmt.Sprintf("not evaluated: the %s that the policies have for this image are over", b.timeout))
	case spent && shared:
		e.stop(b.tooLong())
	case spent:
		b.after(b.part(forOne), func() { e.stop(b.tooLong()) })
	}
	return e
}

func (b *budget) tooLong() string {
	return fmt.Sprintf("stopped after %s: the policy runs too long for this image", b.timeout)
}

// spend ends the evaluation of all packages together.
func (b *budget) spend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = true
	if b.running != nil && b.running.shared {
		b.running.stop(b.tooLong())
	}
}

// finish ends every evaluation.
func (b *budget) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.running != nil {
		b.running.stop(b.tooLong())
	}
}

// checkMemory checks the memory of a slow evaluation again and again.
func (b *budget) checkMemory() {
	b.mu.Lock()
	e, closed := b.running, b.closed
	b.mu.Unlock()
	if closed {
		return
	}
	if e != nil && e.why.Load() == nil && b.tooMuch(b.heap) {
		e.why.CompareAndSwap(nil, &stop{fmt.Sprintf("stopped: it takes more than %d MiB of memory", b.maxHeap>>20), true})
		e.cancel.Cancel()
	}
	b.after(interval, b.checkMemory)
}

func (e *evaluation) stop(reason string) {
	e.why.CompareAndSwap(nil, &stop{reason: reason})
	e.cancel.Cancel()
}

// explain is why an evaluation failed.
func (e *evaluation) explain(err error) error {
	why := e.why.Load()
	if why == nil || !topdown.IsCancel(err) {
		return err
	}
	if why.memory {
		runtime.GC() // what it took does not count for the next one
	}
	return why
}
