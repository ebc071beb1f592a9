package janitor

import (
	"context"
	"errors"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// judge decides about the items of a feed by one configuration.
type judge struct {
	*policy.Judge
	options  plan.Options
	progress *Progress       // nil: not counted
	filter   *scanner.Filter // of its scope; nil if that is the scope of the feed
	uses     *registry.UseIndex
	contents *contents // nil if none can be read
	// decides lists the digests whose content the policies need for a verdict.
	decides func(*registry.Image, *registry.Verdict) []string
}

// decision is what a judge decided about one item. The verdict is nil if there is
// nothing to decide about: a gap, or something that is skipped.
type decision struct {
	item    scanner.Item
	verdict *registry.Verdict
	part    plan.Part
	missing []string      // digests whose content must be known first
	unread  *registry.Gap // a content that decides, and could not be read
}

// judge makes a judge of the planner's configuration. The options are those of its
// plan.
func (p *Planner) judge(depth policy.Depth, uses *registry.UseIndex, o plan.Options) *judge {
	j := p.Policies.At(p.TakenAt, depth).WithUses(uses).WithRestored(p.restored)
	decides := p.decides
	if decides == nil {
		decides = j.NeedsContent
	}
	return &judge{Judge: j, uses: uses, options: o, progress: p.Progress, contents: p.contents, decides: decides}
}

// forEach is the one loop over a feed: it has the items judged side by side, by one
// judge or several, and hands the decisions of each item to collect, concurrently
// and in any order. The decision of a judge is nil for an item outside its scope.
// A panic is an error, and so is whatever made the feed incomplete. An image from the
// cache that would be changed is listed, and judged again; so is an image of which the
// contents matter that are not known, once they were read. Other images do not wait.
func forEach(ctx context.Context, in *intake.Intake, collect func([]*decision), judges ...*judge) error {
	whole := ctx
	group, ctx := errgroup.WithContext(ctx)
	queue := make(chan []*decision, runtime.GOMAXPROCS(0))
	var fetching errgroup.Group
	fetching.SetLimit(maxFetching)
	group.Go(func() error {
		defer close(queue)
		return bug.Contain(func() error { return enqueue(ctx, queue, in.Items(), judges) })
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			return bug.Contain(func() error {
				for decisions := range queue {
					fetch, err := decide(ctx, decisions, judges)
					switch {
					case err != nil:
						return err
					case fetch == nil:
						collect(decisions)
						continue
					}
					fetching.Go(func() error {
						return bug.Contain(func() error {
							var err error
							for ; err == nil && fetch != nil; fetch, err = decide(whole, decisions, judges) {
								fetch(whole)
							}
							if err == nil {
								collect(decisions)
							}
							return err
						})
					})
				}
				return nil
			})
		})
	}
	if err := errors.Join(group.Wait(), fetching.Wait()); err != nil {
		return err
	}
	return in.Err()
}

// maxFetching is how many images are listed again, or have their contents read, at once.
// The clients bound the requests.
const maxFetching = 16

// decide decides about one item by every judge that sees it. It returns what must be
// fetched before it is decided again: contents that are not known, or the tags of an
// image that comes from the cache and would be changed; nil if the decisions are final.
func decide(ctx context.Context, decisions []*decision, judges []*judge) (fetch func(context.Context), err error) {
	var missing []string
	var relist func(context.Context) scanner.Item
	for i, d := range decisions {
		if d == nil {
			continue
		}
		if err := judges[i].decide(ctx, d); err != nil {
			return nil, err
		}
		missing = append(missing, d.missing...)
		if d.part.Changes() {
			relist = d.item.Relist
		}
	}
	switch {
	case len(missing) > 0:
		return func(ctx context.Context) { readContents(ctx, decisions, judges, missing) }, nil
	case relist == nil:
		return nil, nil
	}
	return func(ctx context.Context) {
		item := relist(ctx)
		for _, d := range decisions {
			if d != nil {
				*d = decision{item: item}
			}
		}
	}, nil
}

// enqueue sends each item with the judges that see it. Filters need the items in
// the order of the feed.
func enqueue(ctx context.Context, queue chan<- []*decision, items iter.Seq[scanner.Item], judges []*judge) error {
	for item := range items {
		decisions := make([]*decision, len(judges))
		for i, j := range judges {
			if j.sees(item) {
				decisions[i] = &decision{item: item}
			}
		}
		select {
		case queue <- decisions:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// sees reports whether an item is in the scope of the judge.
func (j *judge) sees(item scanner.Item) bool {
	if j.filter == nil {
		return true
	}
	for _, passed := range j.filter.Pass(item) {
		if passed.Namespace == nil {
			return true
		}
	}
	return false
}

// decide judges an image or a namespace, and plans what follows. The decision is not final
// while it has missing contents.
func (j *judge) decide(ctx context.Context, d *decision) error {
	if d.missing = nil; d.verdict == nil { // it comes for the first time
		j.progress.noticed(d.item)
	}
	began := clock.Now()
	var verdict registry.Verdict
	var err error
	switch {
	case d.item.Image != nil:
		verdict, err = j.Image(ctx, d.item.Image)
	case d.item.Listed != nil:
		verdict, err = j.Namespace(ctx, d.item.Listed.Namespace, d.item.Listed.Empty)
	case d.item.Quiet != nil:
		j.progress.quiet(d.item.Quiet)
		return nil
	default:
		return nil
	}
	if err != nil {
		return err
	}
	d.verdict, d.part = &verdict, plan.Decide(verdict, j.options)
	j.ask(d)
	if len(d.missing) == 0 && (d.item.Relist == nil || !d.part.Changes()) { // it is not judged again
		j.progress.countVerdict(&verdict, clock.Now().Sub(began))
	}
	return nil
}

// ref names the image or the namespace that was judged.
func (d *decision) ref() registry.Ref {
	if d.verdict.Image != nil {
		return d.verdict.Image.Ref()
	}
	return d.verdict.Namespace.Ref()
}
