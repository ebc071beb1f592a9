package emulator

import (
	"sync"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/recipes"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// The statuses and visibilities that the API acts by.
const (
	statusReady    = "ready"
	statusDeleting = "deleting"
	statusLocked   = "locked"

	visibilityInherit = "inherit"
	visibilityPublic  = "public"
	visibilityPrivate = "private"
	visibilityUnknown = "visibility_unknown"
)

// digest is a SHA-256 digest as 32 bytes.
type digest = content.Digest

// region holds the objects of one region; it is guarded by Server.mu.
type region struct {
	name        string
	namespaces  listing.List[*namespace]
	images      listing.List[*image] // of all namespaces
	byNamespace map[wire.UUID]*namespace
	byImage     map[wire.UUID]*image
	byTag       map[wire.UUID]*tag
	contents    *recipes.Contents
}

type namespace struct {
	id               wire.UUID
	name             string
	description      string
	organizationID   wire.UUID
	projectID        wire.UUID
	region           *region
	status           string
	isPublic         bool
	size             int64 // the sum of its images
	created, updated int64 // microseconds
	images           listing.List[*image]
	deleted          bool // through the API, so it is dropped later
	leaving          bool // deleted, or soon: nothing can be pushed to it any more
}

type image struct {
	entry            *worlds.Image // nil if it was pushed
	id               wire.UUID
	name             string
	namespace        *namespace
	status           string
	visibility       string
	live             int64 // the sum over the distinct digests of the tags that are not deleting
	extra            int64 // what the world declares beyond that
	created, updated int64
	tags             listing.List[*tag]
	digestsOnce      sync.Once         // when the tags have their digests: see makeDigests
	pushed           map[digest][]Blob // of the manifests that were pushed with their blobs
	sharesBlobs      bool              // several digests share blobs, so live counts each blob once
	deleted          bool
	leaving          bool
}

type tag struct {
	id               wire.UUID
	digest           digest // the seed of its content until makeDigests
	image            *image
	name             string
	status           string
	size             int64
	created, updated int64
	entry            *worlds.Tag // what it holds; nil if its manifest was pushed
	n                int32       // the number among those of the entry
	leaving          bool
}

// size of an image: content that two of its tags share counts once, and what is
// being deleted does not count.
func (i *image) size() int64 {
	if i.deleted || i.namespace.deleted {
		return 0
	}
	return i.content()
}

// content is the size of what the image holds, deleted or not.
func (i *image) content() int64 { return max(0, i.live+i.extra) }

// resize changes what an image holds, and keeps the size of its namespace the sum
// of its images.
func (i *image) resize(change func()) {
	before := i.size()
	change()
	if i.sharesBlobs {
		i.live = weight(i)
	}
	i.namespace.size += i.size() - before
}

// makeDigests gives the tags of an image their digests, if they do not have them: hashing a
// million manifests takes seconds. Everything that needs a digest calls it first; its
// caller holds the lock of the server, for reading at least.
func (i *image) makeDigests() {
	i.digestsOnce.Do(func() {
		for _, t := range i.tags.Rows {
			t.digest = i.namespace.region.contents.Digest(t.held(), t.digest)
		}
	})
}

// held is what the tag holds, as the world describes it.
func (t *tag) held() *recipes.Tag {
	i := t.image
	in := recipes.Place{Region: i.namespace.region.name, Namespace: i.namespace.name, Image: i.name, Entry: i.entry}
	return &recipes.Tag{ID: t.id, Name: t.name, Entry: t.entry, N: int(t.n), In: in}
}

// content is what a tag holds: nil if it was pushed with its blobs, or if the world gives
// its digest in full.
func (t *tag) content() *content.Content {
	if t.entry == nil {
		return nil
	}
	return t.image.namespace.region.contents.Content(t.held())
}

// sharers returns the other tags of the image that have the digest of t and are
// not being deleted.
func (t *tag) sharers() []*tag {
	t.image.makeDigests()
	var others []*tag
	for _, o := range t.image.tags.Rows {
		if o != t && o.digest == t.digest && o.status != statusDeleting {
			others = append(others, o)
		}
	}
	return others
}

// Blob is a config or a layer of a manifest, with its length in bytes.
type Blob struct {
	Digest digest
	Size   int64
}

// shareBlobs makes the size of an image count each blob of its tags once, which is
// slower than counting each digest once.
func (i *image) shareBlobs() {
	if !i.sharesBlobs {
		i.resize(func() { i.sharesBlobs = true })
	}
}

// weight is the size of all blobs of the tags that are not being deleted.
func weight(i *image) int64 {
	i.makeDigests()
	var sum int64
	counted := map[digest]bool{}
	for _, t := range i.tags.Rows {
		if t.status == statusDeleting || counted[t.digest] {
			continue
		}
		counted[t.digest] = true
		for _, b := range t.blobs() {
			if !counted[b.Digest] {
				counted[b.Digest] = true
				sum += b.Size
			}
		}
	}
	return sum
}

// blobs are those of a tag. A content that is not known, or that is larger than the
// world says, counts as one blob.
func (t *tag) blobs() []Blob {
	if blobs, ok := t.image.pushed[t.digest]; ok {
		return blobs
	}
	c := t.content()
	if c == nil {
		return []Blob{{Size: t.size}}
	}
	var blobs []Blob
	var sum int64
	for _, b := range allBlobs(c) {
		blobs = append(blobs, Blob{b.Digest, b.Size})
		sum += b.Size
	}
	if sum > t.size && len(c.Parts) == 0 {
		return []Blob{{Size: t.size}}
	}
	return blobs
}

// allBlobs are the blobs of a content and of its parts.
func allBlobs(c *content.Content) []content.Blob {
	blobs := c.Blobs
	for _, p := range c.Parts {
		blobs = append(blobs, allBlobs(p)...)
	}
	return blobs
}
