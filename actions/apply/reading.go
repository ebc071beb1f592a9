package apply

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// pageSize is how many tags one call lists.
const pageSize = 100

// reading is what the registry says of an image and its tags.
type reading struct {
	at time.Time // when the oldest of its requests was written
	// listed is the same for the listing, which single requests may follow.
	listed time.Time
	row    registry.Image // of the image; its Tags are empty
	list   []registry.Tag
	// hidden are tags that only a GET finds; absent are IDs that nothing shows.
	hidden map[string]registry.Tag
	absent map[string]bool
	sent   []*step // whose deletion was sent in this run, finished or not

	// Derived from list.

	byID     map[string]registry.Tag
	ours     map[string]bool           // IDs of the tags whose deletion was sent
	byDigest map[string][]registry.Tag // ready or not, except what is being deleted by this run
	names    map[string]bool           // of tags that are not being deleted
}

// newReading indexes a listing.
func newReading(at time.Time, row registry.Image, list []registry.Tag, sent []*step) *reading {
	r := &reading{
		at: at, listed: at, row: row, list: list, sent: sent, hidden: map[string]registry.Tag{}, absent: map[string]bool{},
		byID: make(map[string]registry.Tag, len(list)), ours: make(map[string]bool, len(sent)), byDigest: make(map[string][]registry.Tag, len(list)), names: make(map[string]bool, len(list)),
	}
	for _, st := range sent {
		r.ours[st.ID] = true
	}
	for _, tag := range list {
		r.byID[tag.ID] = tag
		if r.isDeleting(tag) {
			continue
		}
		if tag.Digest != "" {
			r.byDigest[tag.Digest] = append(r.byDigest[tag.Digest], tag)
		}
		if tag.Status != registry.StatusDeleting {
			r.names[tag.Name] = true
		}
	}
	return r
}

// isDeleting reports whether this run is deleting a tag.
func (r *reading) isDeleting(t registry.Tag) bool {
	return t.Status == registry.StatusDeleting && r.ours[t.ID]
}

// find looks for a tag in the listing, and among those that it does not show.
func (r *reading) find(id string) (tag registry.Tag, listed, hidden bool) {
	if tag, listed = r.byID[id]; !listed {
		tag, hidden = r.hidden[id]
	}
	return tag, listed, hidden
}

// named are the tags with a digest that an attachment names. A digest that is named by
// its beginning may be several.
func (r *reading) named(subject registry.Subject) []registry.Tag {
	if !subject.MayBeShort() {
		return r.byDigest[string(subject)]
	}
	var tags []registry.Tag
	for digest, having := range r.byDigest {
		if subject.Is(digest) {
			tags = append(tags, having...)
		}
	}
	slices.SortFunc(tags, func(a, b registry.Tag) int { return strings.Compare(a.Name, b.Name) })
	return tags
}

// pages is how many calls it takes to list the tags again.
func (r *reading) pages() int { return max(1, (len(r.list)+pageSize-1)/pageSize) }

// with is the reading in which single requests replace what it says of some tags;
// a tag that was not found is left out.
func (r *reading) with(at time.Time, found map[string]registry.Tag, missing map[string]bool, sent []*step) *reading {
	list := slices.Clone(r.list)
	list = slices.DeleteFunc(list, func(t registry.Tag) bool { return missing[t.ID] })
	for i := range list {
		if tag, ok := found[list[i].ID]; ok {
			list[i] = tag
		}
	}
	next := newReading(at, r.row, list, sent)
	next.listed = r.listed
	maps.Copy(next.absent, missing)
	return next
}

// unexplained reports whether a later listing shows anything that the deletions of
// this run do not explain: a tag that is new, has changed, or has vanished without
// having been sent. One that goes with a deletion of its digest is explained: a tag that is to
// stay must not, which reportLost finds.
func (r *reading) unexplained(later *reading) bool {
	digests := later.sentDigests()
	for _, tag := range later.list {
		before, ok := r.byID[tag.ID]
		goes := later.ours[tag.ID] || digests[tag.Digest] && tag.Status == registry.StatusDeleting
		if !ok || before != tag && (!goes || before.Digest != tag.Digest) {
			return true
		}
	}
	for _, tag := range r.list {
		if _, ok := later.byID[tag.ID]; !ok && !later.ours[tag.ID] && !digests[tag.Digest] {
			return true
		}
	}
	return false
}

// sentDigests are the digests of which this run has sent deletions.
func (r *reading) sentDigests() map[string]bool {
	digests := make(map[string]bool, len(r.sent))
	for _, st := range r.sent {
		digests[st.Digest] = true
	}
	return digests
}

// lost are the tags that an earlier reading shows, that are not expected to go, and
// that are gone although they share their digest with a deletion of this run; with
// any, whatever their digest.
func (r *reading) lost(later *reading, expected map[string]bool, anyDigest bool) []registry.Tag {
	digests := later.sentDigests()
	var tags []registry.Tag
	for _, tag := range r.list {
		if expected[tag.ID] || !anyDigest && !digests[tag.Digest] || tag.Status == registry.StatusDeleting {
			continue
		}
		if now, ok := later.byID[tag.ID]; !ok || now.Status == registry.StatusDeleting {
			tags = append(tags, tag)
		}
	}
	return tags
}

// unlisted are the names that the row of the image shows and the listing does not,
// except those whose deletion this run has sent.
func (r *reading) unlisted() []string {
	listed := make(map[string]bool, len(r.list)+len(r.sent))
	for _, tag := range r.list {
		listed[tag.Name] = true
	}
	for _, st := range r.sent {
		listed[st.Tag] = true
	}
	var names []string
	for _, name := range r.row.TagNames {
		if !listed[name] {
			names = append(names, name)
		}
	}
	return names
}

// image is the image as policies judge it: without the tags that this run is
// deleting, newest first.
func (r *reading) image(namespace *registry.Namespace) *registry.Image {
	img := r.row
	img.Namespace = namespace
	img.Tags = slices.DeleteFunc(slices.Clone(r.list), r.isDeleting)
	slices.SortFunc(img.Tags, registry.CompareAge)
	return &img
}
