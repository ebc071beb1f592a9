package intake

import (
	"context"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// WithUses is a scan with its uses. All sources are read before the scan starts,
// so that every image is judged with its uses, and again when it has ended, so that
// what was deployed meanwhile is seen. The uses of the first reading come before
// everything else; those that only the second one shows come last.
func WithUses(ctx context.Context, set *uses.Set, scan func() Feed) Feed {
	if set.Empty() {
		return scan()
	}
	w := &watch{items: make(chan scanner.Item, 16)}
	go func() {
		defer close(w.items)
		w.err = bug.Contain(func() error { return w.run(ctx, set, scan) })
	}()
	return w
}

// watch is the Feed of WithUses.
type watch struct {
	items chan scanner.Item
	err   error
}

func (w *watch) Items() <-chan scanner.Item { return w.items }
func (w *watch) Err() error                 { return w.err }

func (w *watch) run(ctx context.Context, set *uses.Set, scan func() Feed) error {
	before, err := set.Read(ctx)
	if err != nil {
		return err
	}
	w.sendReading(ctx, before)
	feed := scan()
	for item := range feed.Items() {
		if item.Gap != nil && set.IsFile(item.Gap.Source) {
			continue // the file was read again
		}
		if item.Gap != nil && item.Gap.Source != "" {
			// It is recorded, and the configuration of the record may have weighed it
			// differently.
			gap := *item.Gap
			set.Weigh(&gap)
			item.Gap = &gap
		}
		w.send(ctx, item)
	}
	if err := feed.Err(); err != nil {
		return err
	}
	after, err := set.Read(ctx)
	if err != nil {
		return err
	}
	w.sendReading(ctx, after.Since(before))
	return ctx.Err()
}

func (w *watch) sendReading(ctx context.Context, r uses.Reading) {
	for i := range r.Uses {
		w.send(ctx, scanner.Item{Use: &r.Uses[i]})
	}
	for i := range r.Gaps {
		w.send(ctx, scanner.Item{Gap: &r.Gaps[i]})
	}
}

func (w *watch) send(ctx context.Context, item scanner.Item) {
	select {
	case w.items <- item:
	case <-ctx.Done():
	}
}
