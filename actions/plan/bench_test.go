package plan

import (
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// One image: every tag marked, digests shared in pairs, attachments, and most
// of it held back by keep_at_least. The time per tag must not grow.
func BenchmarkImage(b *testing.B) {
	for _, tags := range []int{100, 1000, 10000, 100000} {
		b.Run(fmt.Sprintf("tags=%d", tags), func(b *testing.B) {
			v := manyTags("prod", tags, tags)
			for i := range v.Image.Tags {
				switch t := &v.Image.Tags[i]; {
				case i%10 == 9:
					t.Name = fmt.Sprintf("sha256-%064x.sig", i-1)
				case i%2 == 1:
					t.Digest = v.Image.Tags[i-1].Digest
				}
			}
			o := unlimited()
			o.MinAge, o.KeepAtLeast = time.Hour, tags/2
			b.ReportAllocs()
			began := cpuTime(b)
			for b.Loop() {
				Decide(v, o)
			}
			b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(b.N)/float64(tags), "cpu-ns/tag")
		})
	}
}

func BenchmarkImageWithNothingMarked(b *testing.B) {
	v := manyTags("prod", 0, 50)
	o := unlimited()
	b.ReportAllocs()
	for b.Loop() {
		Decide(v, o)
	}
}

// A plan of 100,000 steps: what it takes to build and to write, and what it
// keeps in memory.
func BenchmarkPlan(b *testing.B) {
	const images, marked = 2000, 50
	o := unlimited()
	var live float64
	b.ReportAllocs()
	for b.Loop() {
		before := heap()
		builder := NewBuilder(o)
		for i := range images {
			builder.Add(Decide(manyTags(fmt.Sprintf("ns-%d", i), marked, 100), o))
		}
		p := builder.Plan()
		if err := p.Encode(io.Discard); err != nil || len(p.Steps) != images*marked {
			b.Fatal(err, len(p.Steps))
		}
		live = float64(heap()) - float64(before)
		runtime.KeepAlive(p)
	}
	b.ReportMetric(live/(1<<20), "MiB-live")
}

// cpuTime is what the process has used: on a busy machine, the time on the wall says nothing.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestNothingMarkedAllocatesNothing(t *testing.T) {
	v := manyTags("prod", 0, 50)
	v.Tags[0].Keep = []registry.Reason{{Rule: "protect/tags"}}
	o := unlimited()
	if n := testing.AllocsPerRun(100, func() { Decide(v, o) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
