package janitor

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/outlook"
	"github.com/registry-janitor/registry-janitor/registry"
)

// cache remembers the images that were judged, and until when nothing follows from
// them. Most images of a registry are quiet: nothing in them is marked, violated or
// missing. With the rules of a configuration alone, that can only change when the image
// or its namespace does, or when the age of something in it reaches one of the times in
// the configuration. Own policies may look at the time in any way, so with them every
// image is judged.
type cache struct {
	*ledger.Cache
	now   time.Time
	ages  outlook.Ages // at which a rule may decide otherwise
	quiet bool         // whether quiet images need not be judged
}

// newCache opens the cache for a run of the planner.
func (p *Planner) newCache(l *ledger.Ledger) *cache {
	judge := func(ns *registry.Namespace) []byte {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %q %q %q %v", p.Config.Digest(), p.Policies.Digest(), ns.Name, ns.ProjectID, ns.OrganizationID, ns.IsPublic))
		return sum[:16]
	}
	found := l.Cache(p.TakenAt, p.Config.Scan.MaxCacheAge.Duration(), judge)
	found.FindTags(p.ExplainKept)
	return &cache{Cache: found, now: p.TakenAt, ages: outlook.AgesIn(p.Config.Document()), quiet: len(p.Config.Policies) == 0}
}

// keep remembers an image that was judged, unless a policy failed.
func (c *cache) keep(ctx context.Context, d *decision) {
	if c == nil || d.item.Image == nil || d.verdict == nil || d.verdict.Err != nil {
		return
	}
	var until time.Time
	if c.quiet && d.part.IsQuiet() && d.unread == nil {
		until = c.ages.QuietUntil(d.item.Image, c.now)
	}
	if d.item.Relist == nil {
		c.Keep(ctx, d.item.Image, until)
	} else if !until.IsZero() {
		c.KeepQuiet(ctx, d.item.Image, until)
	}
}
