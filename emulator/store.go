package emulator

import (
	"slices"
	"sync"
	"time"

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

// region holds the objects of one region; it is guarded by Server.mu.
type region struct {
	name        string
	namespaces  listing[*namespace]
	images      listing[*image] // of all namespaces
	byNamespace map[uuid]*namespace
	byImage     map[uuid]*image
	byTag       map[uuid]*tag
	contents    *contents
}

func newRegion(name string, c *contents) *region {
	return &region{
		name:        name,
		contents:    c,
		byNamespace: map[uuid]*namespace{},
		byImage:     map[uuid]*image{},
		byTag:       map[uuid]*tag{},
	}
}

type namespace struct {
	id               uuid
	name             string
	description      string
	organizationID   uuid
	projectID        uuid
	region           *region
	status           string
	isPublic         bool
	size             int64 // the sum of its images
	created, updated int64 // microseconds
	images           listing[*image]
	deleted          bool // through the API, so it is dropped later
	leaving          bool // deleted, or soon: nothing can be pushed to it any more
}

type image struct {
	entry            *worlds.Image // nil if it was pushed
	id               uuid
	name             string
	namespace        *namespace
	status           string
	visibility       string
	live             int64 // the sum over the distinct digests of the tags that are not deleting
	extra            int64 // what the world declares beyond that
	created, updated int64
	tags             listing[*tag]
	settled          sync.Once         // when the tags have their digests: see contents.settle
	pushed           map[digest][]Blob // of the manifests that were pushed with their blobs
	sharesBlobs      bool              // several digests share blobs, so live counts each blob once
	deleted          bool
	leaving          bool
}

type tag struct {
	id               uuid
	digest           digest // the seed of its content until the image is settled
	image            *image
	name             string
	status           string
	size             int64
	created, updated int64
	entry            *worlds.Tag // what it holds; nil if its manifest was pushed
	n                int32       // the number among those of the entry
	leaving          bool
}

func (n *namespace) key() uuid     { return n.id }
func (n *namespace) born() int64   { return n.created }
func (n *namespace) title() string { return n.name }
func (n *namespace) state() string { return n.status }
func (i *image) key() uuid         { return i.id }
func (i *image) born() int64       { return i.created }
func (i *image) title() string     { return i.name }
func (t *tag) key() uuid           { return t.id }
func (t *tag) born() int64         { return t.created }
func (t *tag) title() string       { return t.name }
func (n *namespace) ref() string   { return n.name }
func (i *image) ref() string       { return i.namespace.name + "/" + i.name }
func (t *tag) ref() string         { return t.image.ref() + ":" + t.name }

// state is the status as the API shows it: what belongs to something that is
// being deleted is being deleted too.
func (i *image) state() string {
	if i.namespace.deleted {
		return statusDeleting
	}
	return i.status
}

func (t *tag) state() string {
	if t.image.deleted || t.image.namespace.deleted {
		return statusDeleting
	}
	return t.status
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

// sharers returns the other tags of the image that have the digest of t and are
// not being deleted.
func (t *tag) sharers() []*tag {
	t.image.settle()
	var others []*tag
	for _, o := range t.image.tags.rows {
		if o != t && o.digest == t.digest && o.status != statusDeleting {
			others = append(others, o)
		}
	}
	return others
}

// microseconds is the precision in which the API stores a time; it rounds.
func microseconds(t time.Time) int64 {
	return t.Round(time.Microsecond).UnixMicro()
}

// other is the next namespace of the region.
func (n *namespace) other() *namespace { return next(n.region.namespaces.rows, n) }

// other is the next image of the namespace, or of the region; one with tags if there
// is any.
func (i *image) other() *image {
	rows := i.namespace.images.rows
	if len(rows) == 1 {
		rows = i.namespace.region.images.rows
	}
	first := next(rows, i)
	for o := first; o != i; o = next(rows, o) {
		if len(o.tags.rows) > 0 {
			return o
		}
	}
	return first
}

// other is the next tag of the image, or one of another image.
func (t *tag) other() *tag {
	rows := t.image.tags.rows
	if elsewhere := t.image.other().tags.rows; len(rows) == 1 && len(elsewhere) > 0 {
		return elsewhere[0]
	}
	return next(rows, t)
}

// next is the row after another one, and the first row after the last.
func next[T comparable](rows []T, after T) T {
	return rows[(slices.Index(rows, after)+1)%len(rows)]
}
