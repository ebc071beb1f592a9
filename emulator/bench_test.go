package emulator_test

import (
	"fmt"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// large is a world of images with 50 tags each; 20,000 of them have a million tags.
func large(t testing.TB, images int) *emulator.Server {
	t.Helper()
	w, err := worlds.Parse("world.yaml", fmt.Appendf(nil, `
namespaces:
  - {name: prod, images: [{name: "svc-{n}", count: %d, tags: [{name: "pr-{n}", count: 50, age: 1d, step: 12h}]}]}`, images))
	if err != nil {
		t.Fatal(err)
	}
	s, err := emulator.New(emulator.Options{World: w, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sink counts the bytes of an answer.
type sink struct {
	header http.Header
	bytes  int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { s.bytes += len(p); return len(p), nil }

func BenchmarkListPages(b *testing.B) {
	s := large(b, 20_000)
	image := emulator.ImageID("fr-par", "prod", "svc-10000")
	for _, page := range []struct{ name, path string }{
		{"tags", "/images/" + image + "/tags?page_size=50"},
		{"tags by name", "/images/" + image + "/tags?page_size=50&order_by=name_desc"},
		{"images first page", "/images?page_size=100"},
		{"images last page", "/images?page_size=100&page=200"},
		{"images by name", "/images?page_size=100&page=100&order_by=name_asc"},
		{"images of a namespace", "/images?page_size=100&page=100&namespace_id=" + emulator.NamespaceID("fr-par", "prod")},
		{"one tag", "/tags/" + tagID("svc-10000", "pr-25")},
	} {
		b.Run(page.name, func(b *testing.B) {
			req, err := http.NewRequestWithContext(b.Context(), "GET", "/registry/v1/regions/fr-par"+page.path, http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("X-Auth-Token", "k")
			w := &sink{header: http.Header{}}
			b.ReportAllocs()
			began := cpuTime(b)
			for b.Loop() {
				s.ServeHTTP(w, req)
			}
			b.ReportMetric(1e6*(cpuTime(b)-began)/float64(b.N), "cpu-µs/page")
			b.ReportMetric(float64(w.bytes)/float64(b.N), "body-B/op")
		})
	}
}

// BenchmarkMemory reports the live heap of a million tags.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := liveHeap()
		began := cpuTime(b)
		s := large(b, 20_000)
		b.ReportMetric(cpuTime(b)-began, "cpu-s/start")
		used := liveHeap() - before
		runtime.KeepAlive(s)
		b.ReportMetric(float64(used)/1e6, "MB")
		b.ReportMetric(float64(used)/1e6, "B/tag")
	}
}

// cpuTime is the seconds that the process has used: on a busy machine, the time on the wall
// says nothing.
func cpuTime(b *testing.B) float64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestAMillionTagsFit checks that a million tags need less than 600 MB of live heap,
// which is 600 bytes a tag. The benchmarks measure how long a page takes.
func TestAMillionTagsFit(t *testing.T) {
	images := 20_000
	if raceDetector {
		images = 1_000
	}
	before := liveHeap()
	s := large(t, images)
	used := (liveHeap() - before) / int64(50*images)
	runtime.KeepAlive(s)
	if used > 600 {
		t.Errorf("%d bytes of live heap a tag", used)
	}
}
