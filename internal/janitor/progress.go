package janitor

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Progress counts what a run has done so far. It is safe for concurrent use, and the
// zero value is ready.
type Progress struct {
	Images, Tags, Marked, Gaps atomic.Int64
	// Judging is the time that policies took, in nanoseconds, summed over everything
	// that was judged concurrently.
	Judging atomic.Int64
	// Traffic is what holds up the requests.
	Traffic scaleway.Traffic

	// Archived counts what is copied before deletions.
	Archived archive.Traffic

	// Applied counts the steps, from ApplyingSince on: a time in microseconds since
	// 1970, 0 before.
	Applied       apply.Progress
	ApplyingSince atomic.Int64

	contents *contents    // nil if none are read
	doing    atomic.Value // string
	expected atomic.Int64 // images in scope; negative if that is not known
}

// Now returns how far the run is.
func (p *Progress) Now() runs.Progress {
	doing, ok := p.doing.Load().(string)
	if !ok {
		doing = runs.Starting
	}
	jam := p.Traffic.Now()
	out := runs.Progress{
		Doing: doing, Done: p.Images.Load(), Total: max(0, p.expected.Load()),
		Tags: p.Tags.Load(), Marked: p.Marked.Load(), Gaps: p.Gaps.Load(),
		Waiting: jam.Waiting, Waits: jam.Waits, Retries: jam.Retries, Retrying: jam.Retrying,
	}
	out.Contents = p.contents.counts().Read
	if jam.Others > 0 {
		out.Retrying += " and " + strconv.Itoa(jam.Others) + " more"
	}
	if doing == runs.Applying {
		out.Done, out.Total = p.Applied.Finished.Load(), p.Applied.Steps.Load()
		out.Failed, out.Watched, out.Copied = p.Applied.Failed.Load(), p.Applied.Watched.Load(), p.Archived.Bytes.Load()
	}
	return out
}

// do notes what the run begins to do.
func (p *Progress) do(doing string) {
	if p != nil {
		p.doing.Store(doing)
	}
}

// applying begins to apply a plan, and returns what counts its steps.
func (p *Progress) applying(now time.Time) *apply.Progress {
	p.do(runs.Applying)
	p.ApplyingSince.Store(now.UnixMicro())
	return &p.Applied
}

// Scan begins a scan. How many images there are is known only if the scope has all of
// a namespace or nothing of it.
func (p *Progress) Scan(doing string, s scanner.Scope) {
	if p == nil {
		return
	}
	p.do(doing)
	for _, n := range []*atomic.Int64{&p.Images, &p.Tags, &p.Marked, &p.Gaps, &p.expected} {
		n.Store(0)
	}
	if !s.TakesWholeNamespaces() {
		p.expected.Store(-1)
	}
}

// noticed counts what the scan came across.
func (p *Progress) noticed(item scanner.Item) {
	if p == nil {
		return
	}
	if n := item.Namespace; n != nil && p.expected.Load() >= 0 {
		p.expected.Add(int64(min(n.ImageCount, 1<<31)))
	}
	if item.Gap != nil {
		p.Gaps.Add(1)
	}
}

// countVerdict counts a verdict, and the time that it took.
func (p *Progress) countVerdict(v *registry.Verdict, took time.Duration) {
	if p == nil {
		return
	}
	p.Judging.Add(int64(took))
	if v.Image == nil {
		return
	}
	p.Images.Add(1)
	p.Tags.Add(int64(len(v.Image.Tags)))
	for i := range v.Tags {
		if len(v.Tags[i].Delete) > 0 && len(v.Tags[i].Keep) == 0 {
			p.Marked.Add(1)
		}
	}
}

// quiet counts an image that is not judged again.
func (p *Progress) quiet(q *scanner.Quiet) {
	if p != nil {
		p.Images.Add(1)
		p.Tags.Add(int64(q.Tags))
	}
}
