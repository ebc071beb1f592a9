package scanner

import (
	"context"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Cache remembers the complete tag listings of earlier scans. It is safe for
// concurrent use. The scan lists an image that it does not have, so it need not report
// errors.
type Cache interface {
	// Find returns what it has of each image whose row has not changed since its tags
	// were listed, and nil for every other image.
	Find(ctx context.Context, images []*registry.Image) []*Known
}

// Known is what a cache has of an image.
type Known struct {
	// Quiet: it was judged, and nothing follows from it yet. Then Tags is nil.
	Quiet bool
	// Count is how many tags it has.
	Count int
	// Tags are all its tags, in any order.
	Tags []registry.Tag
}

// Quiet is a ready image in scope that has not changed since it was judged, when nothing
// followed from it. It comes from the cache.
type Quiet struct {
	Image *registry.Image // without its tags
	Tags  int             // how many it has
}

// batchSize is how many images the cache is asked for at once.
const batchSize = 100
