package emulator

import "github.com/registry-janitor/registry-janitor/emulator/internal/content"

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
	i.settle()
	var sum int64
	counted := map[digest]bool{}
	for _, t := range i.tags.rows {
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
	c := t.image.namespace.region.contents.content(t)
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
