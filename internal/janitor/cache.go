package janitor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/outlook"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
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
	full  bool         // find nothing, and remember what is listed
}

// errDoubted is why everything is listed after all: the limits hold only if the cache is
// right about how many tags there are.
var errDoubted = errors.New("the limits hold only if the cache is right")

// planWithCache plans what is in the feed, which scans with a cache in the ledger. With
// AtMost, everything is listed: which deletions are the oldest, only a whole list shows.
func (p *Planner) planWithCache(ctx context.Context, l *ledger.Ledger, feed func(scanner.Cache) intake.Feed) (*actions.Plan, error) {
	plan, err := p.planOnce(ctx, l, p.Full || p.AtMost > 0, feed)
	if errors.Is(err, errDoubted) {
		p.recorder.Forget()
		plan, err = p.planOnce(ctx, l, true, feed)
	}
	return plan, err
}

func (p *Planner) planOnce(ctx context.Context, l *ledger.Ledger, full bool, feed func(scanner.Cache) intake.Feed) (*actions.Plan, error) {
	p.cache = p.newCache(l)
	p.cache.full = full
	defer func() { p.cache = nil }()
	plan, err := p.Plan(ctx, feed(p.cache))
	return plan, errors.Join(err, p.cache.Close(ctx))
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

// Find finds nothing if everything is to be listed.
func (c *cache) Find(ctx context.Context, images []*registry.Image) []*scanner.Known {
	if c.full {
		return make([]*scanner.Known, len(images))
	}
	return c.Cache.Find(ctx, images)
}

// keep remembers an image that was judged, unless a policy failed. One with a restored tag
// is judged each time: no age of the tag tells when its stay ends.
func (c *cache) keep(ctx context.Context, d *decision, restored registry.Restorations) {
	if c == nil || d.item.Image == nil || d.verdict == nil || d.verdict.Err != nil {
		return
	}
	var until time.Time
	if c.quiet && d.part.IsQuiet() && d.unread == nil && len(restored[d.item.Image.Ref()]) == 0 {
		until = c.ages.QuietUntil(d.item.Image, c.now)
	}
	if d.item.Relist == nil {
		c.Keep(ctx, d.item.Image, until)
	} else if !until.IsZero() {
		c.KeepQuiet(ctx, d.item.Image, until)
	}
}
