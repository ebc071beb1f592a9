package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// A slow evaluation is one that takes longer than a glance; only then is the
// heap looked at, so that ordinary evaluations pay nothing.
const (
	glance   = 250 * time.Millisecond
	interval = 50 * time.Millisecond
)

// limits bound the evaluation of one image or namespace.
type limits struct {
	timeout time.Duration
	maxHeap uint64
	print   print.Hook
}

func newLimits(ctx context.Context, o Options) limits {
	l := limits{timeout: o.Timeout, maxHeap: o.MaxHeap, print: printer{ctx, o.Logger}}
	if l.timeout == 0 {
		l.timeout = DefaultTimeout
	}
	if l.maxHeap == 0 {
		l.maxHeap = DefaultMaxHeap
	}
	return l
}

// guard watches one evaluation. It has no goroutine of its own: most evaluations
// are over before its first timer fires.
type guard struct {
	limits
	cancel topdown.Cancel
	timer  *time.Timer
	unhook func() bool
	done   atomic.Bool
	left   time.Duration
	heap   uint64
	why    atomic.Pointer[string]
}

// watch starts to guard an evaluation; stop ends that.
func (l limits) watch(ctx context.Context) *guard {
	g := &guard{limits: l, cancel: topdown.NewCancel(), left: l.timeout}
	first := min(glance, l.timeout)
	g.left -= first
	g.timer = time.AfterFunc(1<<62, g.look) // never, so that look always finds the field set
	g.timer.Reset(first)
	if ctx.Done() != nil {
		g.unhook = context.AfterFunc(ctx, g.cancel.Cancel)
	}
	return g
}

func (g *guard) stop() {
	g.done.Store(true)
	g.timer.Stop()
	if g.unhook != nil {
		g.unhook()
	}
}

// look checks a slow evaluation and comes back until it is over.
func (g *guard) look() {
	if g.done.Load() {
		return
	}
	heap := liveHeap()
	if g.heap == 0 {
		g.heap = heap
	}
	switch {
	case g.left <= 0:
		g.end(fmt.Sprintf("stopped after %s: the policy runs too long for this image", g.timeout))
	case heap > g.heap+g.maxHeap:
		g.end(fmt.Sprintf("stopped: it takes more than %d MiB of memory", g.maxHeap>>20))
	default:
		pause := min(interval, g.left)
		g.left -= pause
		g.timer.Reset(pause)
	}
}

func (g *guard) end(why string) {
	g.why.Store(&why)
	g.cancel.Cancel()
}

// explain says why an evaluation was stopped.
func (g *guard) explain(err error) error {
	if why := g.why.Load(); why != nil && topdown.IsCancel(err) {
		return errors.New(*why)
	}
	return err
}

// liveHeap is the size of the objects on the heap, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// printer hands what policies print to the log.
type printer struct {
	ctx    context.Context
	logger *slog.Logger
}

// Print implements print.Hook.
func (p printer) Print(c print.Context, message string) error {
	if p.logger != nil && c.Location != nil {
		p.logger.DebugContext(p.ctx, message, "file", c.Location.File, "line", c.Location.Row)
	}
	return nil
}
