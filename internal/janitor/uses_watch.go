package janitor

import (
	"context"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Watch is a scan with its uses: everybody is asked before it starts, so that
// every image is judged knowing its uses, and once more when it is over, so that
// what was deployed meanwhile is seen. The uses of the first time come before
// everything else, those that only the second time shows come last.
func (u Uses) Watch(ctx context.Context, scan func() Feed) Feed {
	if u.none() {
		return scan()
	}
	w := &watch{items: make(chan scanner.Item, 16)}
	go func() {
		defer close(w.items)
		w.err = Contain(func() error { return w.run(ctx, u, scan) })
	}()
	return w
}

// watch is the Feed of Watch.
type watch struct {
	items chan scanner.Item
	err   error
}

func (w *watch) Items() <-chan scanner.Item { return w.items }
func (w *watch) Err() error                 { return w.err }

func (w *watch) run(ctx context.Context, u Uses, scan func() Feed) error {
	uses, gaps, err := u.Read(ctx)
	if err != nil {
		return err
	}
	w.emit(ctx, uses, gaps)
	feed := scan()
	for item := range feed.Items() {
		w.send(ctx, weighed(u, item))
	}
	if err := feed.Err(); err != nil {
		return err
	}
	again, gapsAgain, err := u.Read(ctx)
	if err != nil {
		return err
	}
	w.emit(ctx,
		slices.DeleteFunc(again, func(use registry.Use) bool {
			_, known := slices.BinarySearchFunc(uses, use, registry.CompareUses)
			return known
		}),
		slices.DeleteFunc(gapsAgain, func(g registry.Gap) bool {
			return slices.ContainsFunc(gaps, func(k registry.Gap) bool { return k.Subject == g.Subject && k.Blinds == g.Blinds })
		}))
	return ctx.Err()
}

// weighed has the configuration say what a recorded gap blinds: the one that the
// record was made with may have said something else.
func weighed(u Uses, item scanner.Item) scanner.Item {
	if item.Gap == nil || item.Gap.Source == "" {
		return item
	}
	gap := *item.Gap
	u.weigh(&gap)
	item.Gap = &gap
	return item
}

func (w *watch) emit(ctx context.Context, uses []registry.Use, gaps []registry.Gap) {
	for i := range uses {
		w.send(ctx, scanner.Item{Use: &uses[i]})
	}
	for i := range gaps {
		w.send(ctx, scanner.Item{Gap: &gaps[i]})
	}
}

func (w *watch) send(ctx context.Context, item scanner.Item) {
	select {
	case w.items <- item:
	case <-ctx.Done():
	}
}
