package janitor

import (
	"iter"

	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// intake separates the uses in a feed from the other items: those that come before
// the first image, and those that come late.
type intake struct {
	feed  Feed
	early *registry.UseIndex // images are judged with these
	first []scanner.Item     // read before the early uses ended
	late  []registry.Use     // complete once items has ended
}

// newIntake reads the feed until the early uses end. Nothing else may receive from
// it.
func newIntake(feed Feed) *intake {
	in := &intake{feed: feed}
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
	in.early = registry.NewUseIndex(uses)
	return in
}

// items are all items except the uses.
func (in *intake) items() iter.Seq[scanner.Item] {
	return func(yield func(scanner.Item) bool) {
		for _, item := range in.first {
			if !yield(item) {
				return
			}
		}
		for item := range in.feed.Items() {
			if item.Use != nil {
				in.late = append(in.late, *item.Use)
				continue
			}
			if !yield(item) {
				return
			}
		}
	}
}
