package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// job is an image whose tags are to be listed.
type job struct {
	region *regionScan
	image  *registry.Image
	cached *Known // nil if the cache does not have it
}

// run emits the image with its tags, or why it has none.
func (j job) run() {
	r := j.region
	if r.ctx.Err() != nil {
		return // the region has ended, and its gap covers this image
	}
	switch known := j.cached; {
	case known == nil:
	case known.Quiet:
		r.emit(Item{Quiet: &Quiet{j.image, known.Count}})
		return
	case complete(j.image, known.Tags, namesOf(known.Tags)) == nil:
		r.emit(Item{Image: j.image, Relist: j.relist})
		return
	}
	item, err := j.list(r.ctx)
	switch {
	case errors.Is(err, registry.ErrUnauthenticated):
		r.refuse(err)
	case err != nil && r.ctx.Err() != nil:
	case err != nil:
		r.emit(j.gap(err))
	default:
		r.emit(item)
	}
}

// relist lists the tags of an image that came from the cache.
func (j job) relist(ctx context.Context) Item {
	image := *j.image
	image.Tags = nil
	j.image = &image
	item, err := j.list(ctx)
	switch {
	case errors.Is(err, registry.ErrUnauthenticated):
		return j.region.refusal(err)
	case err != nil:
		return j.gap(err)
	}
	return item
}

// list completes the image, or finds that it cannot be judged now.
func (j job) list(ctx context.Context) (Item, error) {
	r, image := j.region, j.image
	tags, err := r.src.Tags(registry.About(ctx, image.Ref()), r.region, image.ID)
	listed := namesOf(tags)
	if err == nil && len(unlisted(image.TagNames, listed)) > 0 { // they may be gone since the image was listed
		err = j.readAgain(ctx)
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return j.missing(ctx, err)
	case err != nil:
		return Item{}, err
	case image.Status != registry.StatusReady:
		return Item{Skipped: skipped(image.Namespace, image.Ref(), image.Status)}, nil
	}
	if err := complete(image, tags, listed); err != nil {
		return Item{}, err
	}
	return Item{Image: image}, nil
}

// readAgain reads the image itself, without its tags.
func (j job) readAgain(ctx context.Context) error {
	fresh, err := j.region.src.Image(ctx, j.region.region, j.image.ID)
	switch {
	case err != nil:
		return err
	case fresh.Name != j.image.Name || !sameID(fresh.NamespaceID, j.image.NamespaceID):
		return fmt.Errorf("the image listing shows image %s as %q of namespace %s, but the image itself is %q of namespace %s",
			j.image.ID, j.image.Name, j.image.NamespaceID, fresh.Name, fresh.NamespaceID)
	}
	fresh.Namespace = j.image.Namespace
	*j.image = fresh
	return nil
}

// missing checks that an image whose tags are not found is really gone: a fresh
// listing no longer has it. An image that is still listed could not be read.
func (j job) missing(ctx context.Context, err error) (Item, error) {
	r := j.region
	q := registry.Query{Region: r.region, NamespaceID: j.image.NamespaceID, Name: j.image.Name}
	for image, failed := range r.src.Images(ctx, q) {
		if failed != nil {
			return Item{}, errors.Join(err, failed)
		}
		if image.ID == j.image.ID {
			return Item{}, fmt.Errorf("%w, although the image is still listed", err)
		}
	}
	return Item{Skipped: skipped(j.image.Namespace, j.image.Ref(), StatusGone)}, nil
}

// gap reports that the image could not be read.
func (j job) gap(err error) Item {
	return Item{Gap: &registry.Gap{
		Subject: j.image.Ref().String(), Error: err.Error(), Holds: registry.HoldsItself, Region: j.region.region,
	}}
}

// complete gives the image its tags, newest first, unless some are certainly missing.
// Listed are the different names of the tags.
func complete(image *registry.Image, tags []registry.Tag, listed map[string]struct{}) error {
	if names := unlisted(image.TagNames, listed); len(names) > 0 {
		return fmt.Errorf("its tag listing lacks %s that the image names: %s", text.Count(len(names), "tag"), text.Some(names))
	}
	if len(tags) == 0 {
		if image.SizeBytes > 0 {
			return fmt.Errorf("its tag listing is empty, but the image has %d bytes", image.SizeBytes)
		}
		image.TagNames, image.Tags = nil, nil
		return nil
	}
	slices.SortFunc(tags, registry.CompareAge)
	if len(listed) < len(tags) {
		return fmt.Errorf("its tag listing shows %d tags, but only %d different names", len(tags), len(listed))
	}
	if len(image.TagNames) == 0 {
		image.TagNames = nil
	}
	image.Tags = tags
	return nil
}

// namesOf are the different names of tags.
func namesOf(tags []registry.Tag) map[string]struct{} {
	names := make(map[string]struct{}, len(tags))
	for i := range tags {
		names[tags[i].Name] = struct{}{}
	}
	return names
}

// unlisted are the names that an image shows inline and its listing does not. That
// the inline names may be truncated does not matter here.
func unlisted(inline []string, listed map[string]struct{}) []string {
	var names []string
	for _, name := range inline {
		if _, ok := listed[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}
