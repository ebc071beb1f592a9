package archivist

import (
	"sync/atomic"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Progress is how far a restoration is. It is safe for concurrent use.
type Progress struct {
	tags, tried, pushed atomic.Int64
}

// Now returns how far the restoration is.
func (p *Progress) Now() runs.Progress {
	out := runs.Progress{Doing: runs.Starting, Done: p.tried.Load(), Total: p.tags.Load(), Copied: p.pushed.Load()}
	if out.Total > 0 {
		out.Doing = runs.Restoring
	}
	return out
}
