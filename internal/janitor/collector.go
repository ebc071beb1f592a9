package janitor

import (
	"errors"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// collector builds a plan from decisions, several of which may be added at once.
type collector struct {
	options plan.Options
	// waits holds back the decisions that delete something until all uses are known.
	waits bool

	mu      sync.Mutex
	builder *plan.Builder
	waiting []*decision
	refused refused
}

// refused finds out whether the API refuses the credentials from the first request on, so
// that nothing at all was read.
type refused struct {
	why   string // the lowest of the texts, so that chance does not show
	other bool   // something was read, or failed for another reason
}

func (r *refused) see(item scanner.Item) {
	switch gap := item.Gap; {
	case gap == nil || !gap.Refused && gap.Source == "":
		r.other = true
	case gap.Refused && (r.why == "" || gap.Error < r.why):
		r.why = gap.Error
	}
}

// err is the one error in place of a gap for each region.
func (r *refused) err() error {
	if r.why == "" || r.other {
		return nil
	}
	return errors.New(r.why)
}

func (c *collector) refusal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused.err()
}

func newCollector(o plan.Options) *collector {
	return &collector{options: o, builder: plan.NewBuilder(o)}
}

// add adds what was decided about one item.
func (c *collector) add(d *decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused.see(d.item)
	if d.unread != nil {
		c.builder.AddGap(*d.unread)
	}
	switch {
	case d.verdict != nil && c.waits && d.verdict.Image != nil && d.part.Deletes():
		c.waiting = append(c.waiting, d)
	case d.verdict != nil && d.item.Relist != nil:
		c.builder.AddFromCache(d.part, len(d.item.Image.TagNames))
	case d.verdict != nil:
		c.builder.Add(d.part)
	case d.item.Quiet != nil:
		c.builder.AddFromCache(plan.Quiet(d.item.Quiet.Image, d.item.Quiet.Tags), len(d.item.Quiet.Image.TagNames))
	case d.item.Skipped != nil && d.item.Skipped.Status != scanner.StatusGone:
		c.builder.AddSkipped(d.item.Skipped.Ref, d.item.Skipped.Status)
	case d.item.Gap != nil:
		c.builder.AddGap(*d.item.Gap)
	}
}

// plan makes the plan, with the uses that were found late and the gap of the clock,
// if there is one.
func (c *collector) plan(late []registry.Use, clock *registry.Gap) *actions.Plan {
	if clock != nil {
		c.builder.AddGap(*clock)
	}
	if !c.waits {
		for _, gap := range intake.LateGaps(late) {
			c.builder.AddGap(gap)
		}
		return c.builder.Plan()
	}
	index := registry.NewUseIndex(late)
	for _, d := range c.waiting {
		if intake.AddUses(d.verdict, index) {
			d.part = plan.Decide(*d.verdict, c.options)
		}
		c.builder.Add(d.part)
	}
	return c.builder.Plan()
}
