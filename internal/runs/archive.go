package runs

import "time"

// Archive is what an archive holds.
type Archive struct {
	Tags     int // that can be restored
	Restored int // of those, the ones that were restored
	// Blobs and Bytes are those of all copies, each once; 0 for a registry, which does not
	// list them.
	Blobs int
	Bytes int64
	// Oldest is when the oldest copy was made, and NextExpiry when the next one may be
	// purged; zero without copies.
	Oldest, NextExpiry time.Time
}

// Copies counts what a run copied into the archive before deletions.
type Copies struct {
	Tags, Failed int64 // that were copied, and that could not be
	Blobs, Bytes int64 // that were sent
}
