package scaleway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Namespaces lists the namespaces that q asks for: all of them, or an error.
func (r *Reader) Namespaces(ctx context.Context, q registry.Query) ([]registry.Namespace, error) {
	if err := checkQuery(q); err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	row := func(row *sdk.Namespace) (registry.Namespace, error) { return toNamespace(row, q) }
	fetch := func(ctx context.Context, number int32) (page[registry.Namespace], error) {
		return readPage(ctx, "namespaces", row, func(answer scw.RequestOption) error {
			_, err := r.api.ListNamespaces(&sdk.ListNamespacesRequest{
				Region:         scw.Region(q.Region),
				Page:           &number,
				PageSize:       new(uint32(pageSize)),
				OrderBy:        sdk.ListNamespacesRequestOrderByCreatedAtAsc,
				OrganizationID: optional(q.OrganizationID),
				ProjectID:      optional(q.ProjectID),
				Name:           optional(q.Name),
			}, answer)
			return err
		})
	}
	namespaces, err := listAll(ctx, r.concurrency, fetch, func(n *registry.Namespace) [16]byte { return idOf(n.ID) })
	if err == nil {
		err = uniqueNames(namespaces)
	}
	if err != nil {
		return nil, r.fail(ctx, err, "list namespaces %s", describe(q))
	}
	return namespaces, nil
}

// Tags lists every tag of an image: all of them, or an error.
func (r *Reader) Tags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, error) {
	_, err := parseUUID(imageID)
	if err != nil {
		return nil, fmt.Errorf("list tags: the image ID %w", err)
	}
	if err := checkQuery(registry.Query{Region: region}); err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	row := func(row *wireTag) (registry.Tag, error) { return row.tag(imageID) }
	fetch := func(ctx context.Context, number int32) (page[registry.Tag], error) {
		return readPage(ctx, "tags", row, func(answer scw.RequestOption) error {
			_, err := r.api.ListTags(&sdk.ListTagsRequest{
				Region:   scw.Region(region),
				ImageID:  imageID,
				Page:     &number,
				PageSize: new(uint32(pageSize)),
				OrderBy:  sdk.ListTagsRequestOrderByCreatedAtAsc,
			}, answer)
			return err
		})
	}
	tags, err := listAll(ctx, r.concurrency, fetch, func(t *registry.Tag) [16]byte { return idOf(t.ID) })
	if err != nil {
		return nil, r.fail(ctx, err, "list tags of image %s in %s", imageID, region)
	}
	return tags, nil
}

// Images lists the images that q asks for, page by page, and fetches the next page
// meanwhile. Their Namespace is nil, and NamespaceID is set. It lists again if a
// listing is inconsistent, and never yields an ID twice. An error ends the sequence:
// the images before it are then incomplete.
func (r *Reader) Images(ctx context.Context, q registry.Query) iter.Seq2[registry.Image, error] {
	return func(yield func(registry.Image, error) bool) {
		if err := checkQuery(q); err != nil {
			yield(registry.Image{}, fmt.Errorf("list images: %w", err))
			return
		}
		stream := &imageStream{fetch: r.imagePage(q), listed: map[[16]byte]uint8{}, yield: yield}
		err := relist(func() error { return stream.once(ctx) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(registry.Image{}, r.fail(ctx, err, "list images %s", describe(q)))
		}
	}
}

// Image reads one image. Its Namespace is nil, and NamespaceID is set.
func (r *Reader) Image(ctx context.Context, region registry.Region, id string) (registry.Image, error) {
	image, _, err := r.image(ctx, region, id)
	return image, err
}

func (r *Reader) image(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error) {
	return get(ctx, r, "image", region, id, func(ctx context.Context, region scw.Region) (image registry.Image, got string, err error) {
		row, err := r.api.GetImage(&sdk.GetImageRequest{Region: region, ImageID: id}, scw.WithContext(ctx))
		if err == nil {
			image, err = toImage(row, registry.Query{})
		}
		return image, image.ID, err
	})
}

func (r *Reader) imagePage(q registry.Query) fetcher[registry.Image] {
	row := func(row *sdk.Image) (registry.Image, error) { return toImage(row, q) }
	return func(ctx context.Context, number int32) (page[registry.Image], error) {
		return readPage(ctx, "images", row, func(answer scw.RequestOption) error {
			_, err := r.api.ListImages(&sdk.ListImagesRequest{
				Region:         scw.Region(q.Region),
				Page:           &number,
				PageSize:       new(uint32(pageSize)),
				OrderBy:        sdk.ListImagesRequestOrderByCreatedAtAsc,
				NamespaceID:    optional(q.NamespaceID),
				Name:           optional(q.Name),
				OrganizationID: optional(q.OrganizationID),
				ProjectID:      optional(q.ProjectID),
			}, answer)
			return err
		})
	}
}

// checkQuery refuses values that must not enter a URL.
func checkQuery(q registry.Query) error {
	if !slices.Contains(registry.Regions(), q.Region) {
		return fmt.Errorf("region %q has no registry: want one of %v", q.Region, registry.Regions())
	}
	for _, id := range [...]struct{ of, value string }{
		{"project", q.ProjectID}, {"organization", q.OrganizationID}, {"namespace", q.NamespaceID},
	} {
		if id.value == "" {
			continue
		}
		if _, err := parseUUID(id.value); err != nil {
			return fmt.Errorf("the %s ID %w", id.of, err)
		}
	}
	return nil
}

// uniqueNames refuses two namespaces with the same name: a reference could mean
// either.
func uniqueNames(namespaces []registry.Namespace) error {
	ids := make(map[string]string, len(namespaces))
	for _, n := range namespaces {
		if other, taken := ids[n.Name]; taken {
			return fmt.Errorf("namespaces %s and %s are both named %q", other, n.ID, n.Name)
		}
		ids[n.Name] = n.ID
	}
	return nil
}

// describe says where the namespaces or images of a query are.
func describe(q registry.Query) string {
	switch {
	case q.NamespaceID != "":
		return fmt.Sprintf("of namespace %s in %s", q.NamespaceID, q.Region)
	case q.ProjectID != "":
		return fmt.Sprintf("of project %s in %s", q.ProjectID, q.Region)
	}
	return fmt.Sprintf("in %s", q.Region)
}

// idOf is the ID of a translated row, whose form was checked.
func idOf(s string) [16]byte {
	id, _ := parseUUID(s)
	return id
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
