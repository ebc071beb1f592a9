package janitor

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/ledger"
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
	ages  []time.Duration // at which a rule may decide otherwise
	quiet bool            // whether quiet images need not be judged
	// agesInside: a rule takes an age from a label.
	agesInside bool
}

// newCache opens the cache for a run of the planner.
func (p *Planner) newCache(l *ledger.Ledger) *cache {
	judge := func(ns *registry.Namespace) []byte {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %q %q %q %v", p.Config.Digest(), p.Policies.Digest(), ns.Name, ns.ProjectID, ns.OrganizationID, ns.IsPublic))
		return sum[:16]
	}
	found := l.Cache(p.TakenAt, p.Config.Scan.MaxCacheAge.Duration(), judge)
	found.FindTags(p.ExplainKept)
	document := p.Config.Document()
	return &cache{
		Cache: found,
		now:   p.TakenAt, ages: agesIn(document), quiet: len(p.Config.Policies) == 0, agesInside: hasKey(document, "older_than_label"),
	}
}

// keep remembers an image that was judged. A policy that failed is asked again.
func (c *cache) keep(ctx context.Context, d *decision) {
	if c == nil || d.item.Image == nil || d.verdict == nil || d.verdict.Err != nil {
		return
	}
	var until time.Time
	if c.quiet && d.part.IsQuiet() && d.unread == nil {
		until = c.quietUntil(d.item.Image)
	}
	if d.item.Relist == nil {
		c.Keep(ctx, d.item.Image, until)
	} else if !until.IsZero() {
		c.KeepQuiet(ctx, d.item.Image, until)
	}
}

// slack is how inexactly the age of something may be compared with a time.
const slack = 2 * time.Second

// quietUntil is when the age of something in an image next reaches one of the ages; zero
// if it just does.
func (c *cache) quietUntil(image *registry.Image) time.Time {
	until := c.now.AddDate(100, 0, 0)
	pass := func(since time.Time) bool {
		for _, age := range c.ages {
			reached := since.Add(age)
			switch {
			case reached.Add(slack).Before(c.now):
			case !reached.Add(-slack).After(c.now):
				return false
			case reached.Before(until):
				until = reached
			}
		}
		return true
	}
	quiet := pass(image.CreatedAt) && pass(image.UpdatedAt)
	for i := range image.Tags {
		quiet = quiet && pass(image.Tags[i].CreatedAt) && pass(image.Tags[i].UpdatedAt)
	}
	if !quiet || !c.passInside(image, pass) {
		return time.Time{}
	}
	return until.Add(-slack)
}

// passInside is quietUntil of what is inside the tags, which changes with them alone. What
// could not be read may be another time, and an age in a label may be any.
func (c *cache) passInside(image *registry.Image, pass func(time.Time) bool) bool {
	if len(image.Unread) > 0 || c.agesInside && len(image.Contents) > 0 {
		return false
	}
	for _, content := range image.Contents {
		if !content.BuiltAt.IsZero() && !pass(content.BuiltAt) {
			return false
		}
	}
	return true
}

// hasKey reports whether a document has a key, at any depth.
func hasKey(v any, key string) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, value := range v {
			if k == key || hasKey(value, key) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(value any) bool { return hasKey(value, key) })
	}
	return false
}

// agesIn are all times in a configuration, in whatever rule, and 0: the age of what is
// in the future.
func agesIn(document any) []time.Duration {
	ages := map[time.Duration]bool{0: true}
	var collect func(any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if strings.HasSuffix(key, "_seconds") {
					ages[secondsOf(value)] = true
				}
				collect(value)
			}
		case []any:
			for _, value := range v {
				collect(value)
			}
		}
	}
	collect(document)
	return slices.Sorted(maps.Keys(ages))
}

func secondsOf(v any) time.Duration {
	switch v := v.(type) {
	case int64:
		return time.Duration(v) * time.Second
	case float64:
		return time.Duration(v * float64(time.Second))
	}
	return 0
}
