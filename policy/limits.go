package policy

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// An evaluation that takes longer than a glance is slow. The size of the heap is read again
// only in slow evaluations, so that ordinary ones cost next to nothing. There it is read
// often: a policy that doubles its memory can do so a few times a second.
const (
	glance   = 100 * time.Millisecond
	interval = 20 * time.Millisecond
)

// limits bound the evaluation of one image or namespace.
type limits struct {
	timeout time.Duration
	grace   time.Duration // for an evaluation that was stopped to end
	maxHeap uint64
	print   print.Hook
}

func newLimits(ctx context.Context, o Options) limits {
	return limits{timeout: cmp.Or(o.Timeout, DefaultTimeout), grace: 2 * time.Second, maxHeap: cmp.Or(o.MaxHeap, defaultMaxHeap()), print: printer{ctx, o.Logger}}
}

// defaultMaxHeap is how much the heap may grow, in bytes, while one image is judged:
// a quarter of what the program may have, so that a policy is stopped before the
// kernel or the collector's limit (GOMEMLIMIT) ends everything.
func defaultMaxHeap() uint64 {
	const most = 512 << 20
	if limit := debug.SetMemoryLimit(-1); limit > 0 && limit < math.MaxInt64 {
		return min(most, uint64(limit)/4)
	}
	return most
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

// tooMuch reports whether the heap has grown beyond the limit. Garbage does not
// count, unless there is so much that collecting it first could be too late.
func (l limits) tooMuch(before uint64) bool {
	switch heap := heapSize(heapObjects); {
	case heap <= before+l.maxHeap:
		return false
	case heap > 2*(before+l.maxHeap):
		return true
	}
	runtime.GC()
	return heapSize(heapLive) > before+l.maxHeap
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
