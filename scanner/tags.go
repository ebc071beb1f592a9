package scanner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// job is an image whose tags are to be listed.
type job struct {
	region *regionScan
	image  *registry.Image
}

// run completes the image and emits it, or emits why it could not.
func (j job) run() {
	r, image := j.region, j.image
	if r.ctx.Err() != nil {
		return // the region has ended, and its gap covers this image
	}
	tags, err := r.src.Tags(r.ctx, r.region, image.ID)
	switch {
	case errors.Is(err, registry.ErrUnauthenticated):
		r.refuse(err)
	case errors.Is(err, registry.ErrNotFound):
		j.missing(err)
	case err != nil && r.ctx.Err() != nil:
	case err != nil:
		j.gap(err)
	default:
		if err := complete(image, tags); err != nil {
			j.gap(err)
			return
		}
		r.emit(Item{Image: image})
	}
}

// missing checks that an image whose tags are not found is really gone: a fresh
// listing no longer has it. An image that is still listed could not be read.
func (j job) missing(err error) {
	r := j.region
	q := registry.Query{Region: r.region, NamespaceID: j.image.NamespaceID, Name: j.image.Name}
	for image, failed := range r.src.Images(r.ctx, q) {
		if failed != nil {
			j.gap(errors.Join(err, failed))
			return
		}
		if image.ID == j.image.ID {
			j.gap(fmt.Errorf("%w, although the image is still listed", err))
			return
		}
	}
	r.emit(Item{Skipped: skipped(j.image.Namespace, j.image.Ref(), StatusGone)})
}

// gap reports that the image could not be read.
func (j job) gap(err error) {
	j.region.emit(Item{Gap: &registry.Gap{
		Subject: j.image.Ref().String(), Error: err.Error(), Holds: registry.HoldsItself, Region: j.region.region,
	}})
}

// complete gives the image its tags, newest first, unless some are certainly missing.
func complete(image *registry.Image, tags []registry.Tag) error {
	if len(tags) == 0 {
		if len(image.TagNames) > 0 {
			return fmt.Errorf("its tag listing is empty, but the image listing shows %d tags, such as %q", len(image.TagNames), image.TagNames[0])
		}
		if image.SizeBytes > 0 {
			return fmt.Errorf("its tag listing is empty, but the image has %d bytes", image.SizeBytes)
		}
		image.TagNames, image.Tags = nil, nil
		return nil
	}
	names := make(map[string]struct{}, len(tags))
	for i := range tags {
		names[tags[i].Name] = struct{}{}
	}
	slices.SortFunc(tags, newestFirst)
	if len(names) < len(tags) {
		return fmt.Errorf("its tag listing shows %d tags, but only %d different names", len(tags), len(names))
	}
	if len(image.TagNames) == 0 {
		image.TagNames = nil
	}
	image.Tags = tags
	return nil
}

// newestFirst is the order of the tags of an image. Names are unique in it, so the
// order is total.
func newestFirst(a, b registry.Tag) int {
	return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), strings.Compare(a.Name, b.Name))
}
