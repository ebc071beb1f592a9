package intake

import (
	"iter"

	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Feed is a scan of the registry, or one that was recorded.
type Feed interface {
	// Items is closed at the end.
	Items() <-chan scanner.Item
	// Err is, once Items is closed, why the feed is incomplete; nil if it is not.
	Err() error
}

// Intake separates the uses in a feed from the other items: those that come before
// the first image, and those that come late.
type Intake struct {
	Early *registry.UseIndex // images are judged with these
	Late  []registry.Use     // complete once Items has ended

	feed  Feed
	first []scanner.Item // read before the early uses ended
}

// New reads the feed until the early uses end. Nothing else may receive from
// it.
func New(feed Feed) *Intake {
	in := &Intake{feed: feed}
	var uses []registry.Use
	for item := range feed.Items() {
		if item.Use != nil {
			uses = append(uses, *item.Use)
			continue
		}
		in.first = append(in.first, item)
		if item.Gap == nil {
			break
		}
	}
	in.Early = registry.NewUseIndex(uses)
	return in
}

// Items are all items except the uses.
func (in *Intake) Items() iter.Seq[scanner.Item] {
	return func(yield func(scanner.Item) bool) {
		for _, item := range in.first {
			if !yield(item) {
				return
			}
		}
		for item := range in.feed.Items() {
			if item.Use != nil {
				in.Late = append(in.Late, *item.Use)
				continue
			}
			if !yield(item) {
				return
			}
		}
	}
}

// Err is, once Items has ended, why the feed is incomplete; nil if it is not.
func (in *Intake) Err() error { return in.feed.Err() }
