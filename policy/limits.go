package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// An evaluation that takes longer than a glance is slow. Only then the size of the
// heap is read again, so that ordinary evaluations cost next to nothing. From then on
// it is read often: a policy that doubles its memory can do so a few times a second.
const (
	glance   = 100 * time.Millisecond
	interval = 20 * time.Millisecond
)

// limits bound the evaluation of one image or namespace.
type limits struct {
	timeout time.Duration
	maxHeap uint64
	print   print.Hook
}

func newLimits(ctx context.Context, o Options) limits {
	return limits{timeout: cmp.Or(o.Timeout, DefaultTimeout), maxHeap: cmp.Or(o.MaxHeap, defaultMaxHeap), print: printer{ctx, o.Logger}}
}

// guard watches one evaluation. The heap is that of the whole process: if several
// images are judged at once, their growth together counts for each of them, so that
// it stays within the limit however many there are. A guard has no goroutine: most
// evaluations end before its first timer fires.
type guard struct {
	limits
	cancel topdown.Cancel
	timer  *time.Timer
	unhook func() bool
	done   atomic.Bool
	left   time.Duration
	pause  time.Duration
	heap   uint64 // in use before the evaluation began
	why    atomic.Pointer[string]
}

// watch starts to guard an evaluation; call stop when it ends.
func (l limits) watch(ctx context.Context) *guard {
	g := &guard{limits: l, cancel: topdown.NewCancel(), left: l.timeout, pause: interval, heap: heapSize(heapLive)}
	first := min(glance, l.timeout)
	g.left -= first
	g.timer = time.AfterFunc(1<<62, g.look) // set the field before look can run
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

// look checks a slow evaluation again and again until it ends.
func (g *guard) look() {
	if g.done.Load() {
		return
	}
	switch {
	case g.left <= 0:
		g.end(fmt.Sprintf("stopped after %s: the policy runs too long for this image", g.timeout))
	case g.tooMuch():
		g.end(fmt.Sprintf("stopped: it takes more than %d MiB of memory", g.maxHeap>>20))
	default:
		pause := min(g.pause, g.left)
		g.left -= pause
		g.timer.Reset(pause)
	}
}

// tooMuch reports whether the heap has grown beyond the limit. Garbage does not
// count, unless there is so much that collecting it first could be too late.
func (g *guard) tooMuch() bool {
	heap := heapSize(heapObjects)
	switch {
	case heap <= g.heap+g.maxHeap:
		return false
	case heap > 2*(g.heap+g.maxHeap):
		return true
	}
	runtime.GC()
	g.pause = 5 * interval // a collection is not free either
	return !g.done.Load() && heapSize(heapLive) > g.heap+g.maxHeap
}

func (g *guard) end(why string) {
	g.why.Store(&why)
	g.cancel.Cancel()
}

// explain is why an evaluation was stopped.
func (g *guard) explain(err error) error {
	if why := g.why.Load(); why != nil && topdown.IsCancel(err) {
		return errors.New(*why)
	}
	return err
}

// The sizes of the heap, in bytes, by the names of runtime/metrics: of the
// objects that the last collection found in use, and of all objects, which
// include what is garbage since.
const (
	heapLive    = "/gc/heap/live:bytes"
	heapObjects = "/memory/classes/heap/objects:bytes"
)

func heapSize(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// printer writes what policies print to the log.
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
