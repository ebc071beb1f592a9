package scanner

import (
	"context"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Cache remembers the complete tag listings of earlier scans. It is safe for
// concurrent use. An image that it does not know is listed, so it need not report
// errors.
type Cache interface {
	// Find returns the tags of each image whose row is what it was when Keep got it,
	// and nil for every other image. The order of the tags does not matter.
	Find(ctx context.Context, images []*registry.Image) [][]registry.Tag
	// Keep remembers an image that was just listed.
	Keep(ctx context.Context, image *registry.Image)
}

// batchSize is how many images the cache is asked for at once.
const batchSize = 100
