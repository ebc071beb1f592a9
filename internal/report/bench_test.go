//go:build unix

package report

import (
	"fmt"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// BenchmarkHugePlan renders a plan of 100,000 deletions. The peak memory is that of the
// process, with the plan and what earlier formats took: measure one format at a time.
func BenchmarkHugePlan(b *testing.B) {
	run := runs.Run{Plan: manyImages(40, 50, 50)}
	if n := run.Plan.Summary.Deletions(); n != 100_000 {
		b.Fatalf("the plan has %d deletions", n)
	}
	debug.FreeOSMemory()
	for _, f := range []Format{FormatJSON, FormatMarkdown, FormatHTML, FormatText} {
		b.Run(fmt.Sprintf("format=%s", f), func(b *testing.B) {
			written := &counter{}
			began := usage(b)
			for b.Loop() {
				if err := Write(written, f, run, TextOptions{Details: DetailsAll}); err != nil {
					b.Fatal(err)
				}
			}
			ended := usage(b)
			took := ended.Utime.Nano() + ended.Stime.Nano() - began.Utime.Nano() - began.Stime.Nano()
			b.ReportMetric(float64(took)/float64(b.N)/1e9, "cpu-s")
			b.ReportMetric(float64(ended.Maxrss)*1024/1e6, "peak-MB")
			b.ReportMetric(float64(written.bytes)/float64(b.N)/1e6, "MB")
		})
	}
}

func usage(b *testing.B) syscall.Rusage {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}

// counter counts the bytes that are written.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}
