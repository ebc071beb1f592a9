package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Editor reads single objects, deletes them, and changes their visibility. It is
// safe for concurrent use.
//
// Each call sends its change once: no transport repeats it, and a redirect is not
// followed. Reads are tried again after faults that may pass, as those of a Reader.
//
// Errors wrap registry.ErrNotFound (404), registry.ErrDenied (401, and 403
// permissions_denied), registry.ErrConflict (409, 412, 423, any other 403),
// registry.ErrThrottled (429), and, for changes only, registry.ErrUnknownOutcome
// if the API did not answer the change: a timeout, a cut connection, 5xx, a redirect,
// a 200 that is not one JSON object. A change whose error wraps none of them was not
// made. One that could not be sent before the time that the caller names was not
// sent, and its error wraps registry.ErrLate. An answer about another object than was
// asked for wraps registry.ErrMismatch.
//
// A read also returns when the request of its oldest answer was sent.
type Editor struct {
	read  *Reader
	write *sdk.API
}

// NewEditor finds the credentials and makes an Editor, as NewReader does. Reads
// and changes share one pacer. It sends nothing.
func NewEditor(o Options) (*Editor, error) {
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	return c.editor()
}

func (c *connection) editor() (*Editor, error) {
	e := &Editor{}
	var err error
	if e.read, err = c.reader(readKinds); err != nil {
		return nil, err
	}
	// No retrier: the caller decides whether to send a change again.
	client, err := c.client(&guard{host: c.creds.APIHost(), allow: writeOnly, next: c.pacer})
	if err != nil {
		return nil, err
	}
	e.write = sdk.NewAPI(client)
	return e, nil
}

// GetTag reads a tag of an image; "" is any image.
func (e *Editor) GetTag(ctx context.Context, region registry.Region, imageID, id string) (registry.Tag, time.Time, error) {
	return get(ctx, e.read, "tag", region, id, func(ctx context.Context, region scw.Region) (tag registry.Tag, got string, err error) {
		row, err := e.read.api.GetTag(&sdk.GetTagRequest{Region: region, TagID: id}, scw.WithContext(ctx))
		if err == nil {
			tag, err = toTag(row, imageID)
		}
		return tag, tag.ID, err
	})
}

// GetImage reads an image. Its Namespace is nil, and NamespaceID is set.
func (e *Editor) GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error) {
	return e.read.image(ctx, region, id)
}

// GetNamespace reads a namespace.
func (e *Editor) GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, time.Time, error) {
	return get(ctx, e.read, "namespace", region, id, func(ctx context.Context, in scw.Region) (namespace registry.Namespace, got string, err error) {
		row, err := e.read.api.GetNamespace(&sdk.GetNamespaceRequest{Region: in, NamespaceID: id}, scw.WithContext(ctx))
		if err == nil {
			namespace, err = toNamespace(row, registry.Query{Region: region})
		}
		return namespace, namespace.ID, err
	})
}

// get reads one object, and checks that the answer has the ID that was asked for.
func get[T any](ctx context.Context, r *Reader, what string, region registry.Region, id string, read func(context.Context, scw.Region) (T, string, error)) (T, time.Time, error) {
	var none T
	if err := checkObject(region, id); err != nil {
		return none, time.Time{}, fmt.Errorf("read %s: %w", what, err)
	}
	timed, sent := withTiming(ctx, time.Time{})
	object, got, err := read(timed, scw.Region(region))
	if err == nil {
		err = belongs("id", got, id)
	}
	if err != nil {
		return none, sent.first(), r.fail(ctx, err, "read %s %s in %s", what, id, region)
	}
	return object, sent.first(), nil
}

// ListTags lists every tag of an image: all of them, or an error.
func (e *Editor) ListTags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, time.Time, error) {
	ctx, sent := withTiming(ctx, time.Time{})
	tags, err := e.read.Tags(ctx, region, imageID)
	return tags, sent.first(), err
}

// ListImages lists every image of a namespace: all of them, or an error.
func (e *Editor) ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, time.Time, error) {
	if err := checkObject(region, namespaceID); err != nil {
		return nil, time.Time{}, fmt.Errorf("list images: %w", err)
	}
	ctx, sent := withTiming(ctx, time.Time{})
	var images []registry.Image
	for image, err := range e.read.Images(ctx, registry.Query{Region: region, NamespaceID: namespaceID}) {
		if err != nil {
			return nil, sent.first(), err
		}
		images = append(images, image)
	}
	return images, sent.first(), nil
}

// DeleteTag asks the API to delete a tag, without force, and returns the tag as the
// answer shows it. When it returns, the deletion has begun; the tag may still exist.
func (e *Editor) DeleteTag(ctx context.Context, region registry.Region, id string, before time.Time) (registry.Tag, error) {
	var tag registry.Tag
	err := e.change(ctx, "delete tag", region, id, before, func(ctx context.Context, region scw.Region) error {
		row, err := e.write.DeleteTag(&sdk.DeleteTagRequest{Region: region, TagID: id}, scw.WithContext(ctx))
		if err == nil {
			tag = registry.Tag{ID: row.ID, Name: row.Name, Digest: row.Digest, Status: registry.Status(row.Status)}
		}
		return err
	})
	return tag, err
}

// DeleteImage asks the API to delete an image with all its tags.
func (e *Editor) DeleteImage(ctx context.Context, region registry.Region, id string, before time.Time) error {
	return e.change(ctx, "delete image", region, id, before, func(ctx context.Context, region scw.Region) error {
		_, err := e.write.DeleteImage(&sdk.DeleteImageRequest{Region: region, ImageID: id}, scw.WithContext(ctx))
		return err
	})
}

// DeleteNamespace asks the API to delete a namespace with all that is in it.
func (e *Editor) DeleteNamespace(ctx context.Context, region registry.Region, id string, before time.Time) error {
	return e.change(ctx, "delete namespace", region, id, before, func(ctx context.Context, region scw.Region) error {
		_, err := e.write.DeleteNamespace(&sdk.DeleteNamespaceRequest{Region: region, NamespaceID: id}, scw.WithContext(ctx))
		return err
	})
}

// SetImageVisibility makes an image private or public, or lets it inherit.
func (e *Editor) SetImageVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility, before time.Time) error {
	if to != registry.Private && to != registry.Public && to != registry.Inherit {
		return fmt.Errorf("set the visibility of image %s: %q is not a visibility", id, to)
	}
	return e.change(ctx, "make "+string(to)+" image", region, id, before, func(ctx context.Context, region scw.Region) error {
		_, err := e.write.UpdateImage(&sdk.UpdateImageRequest{Region: region, ImageID: id, Visibility: sdk.ImageVisibility(to)}, scw.WithContext(ctx))
		return err
	})
}

// SetNamespaceVisibility makes a namespace private or public.
func (e *Editor) SetNamespaceVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility, before time.Time) error {
	if to != registry.Private && to != registry.Public {
		return fmt.Errorf("set the visibility of namespace %s: %q is not a visibility of a namespace", id, to)
	}
	return e.change(ctx, "make "+string(to)+" namespace", region, id, before, func(ctx context.Context, region scw.Region) error {
		public := to == registry.Public
		_, err := e.write.UpdateNamespace(&sdk.UpdateNamespaceRequest{Region: region, NamespaceID: id, IsPublic: &public}, scw.WithContext(ctx))
		return err
	})
}

// change sends a change, unless that would be after the given time, and translates
// its error.
func (e *Editor) change(ctx context.Context, what string, region registry.Region, id string, before time.Time, send func(context.Context, scw.Region) error) error {
	if err := checkObject(region, id); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	timed, _ := withTiming(ctx, before)
	if err := send(timed, scw.Region(region)); err != nil {
		kinds, text := changeKinds(err), plain(err)
		if ctx.Err() != nil {
			kinds, text = append(kinds, ctx.Err()), context.Cause(ctx).Error()
		}
		return &readError{text: e.read.redact.Text(fmt.Sprintf("%s %s in %s: %s", what, id, region, text)), kinds: kinds}
	}
	return nil
}

// checkObject refuses what must not enter a URL.
func checkObject(region registry.Region, id string) error {
	if err := checkQuery(registry.Query{Region: region}); err != nil {
		return err
	}
	if _, err := parseUUID(id); err != nil {
		return fmt.Errorf("its ID %w", err)
	}
	return nil
}

// readKinds returns the errors of package registry that a failed read of an Editor
// wraps. A Reader does not distinguish one 403 from another.
func readKinds(err error) []error {
	return append(refusalKinds(err), wrapped(err, registry.ErrIncomplete, registry.ErrMismatch)...)
}

// changeKinds returns the errors of package registry that a failed change wraps:
// none if the API refused it for good, or it was never sent.
func changeKinds(err error) []error {
	if kinds := refusalKinds(err); kinds != nil {
		return kinds
	}
	if errors.Is(err, registry.ErrLate) {
		return []error{registry.ErrLate}
	}
	var unsent *unsentError
	if errors.As(err, &unsent) {
		return nil
	}
	var status *statusError
	if errors.As(err, &status) && status.code >= 400 && status.code < 500 && status.code != http.StatusRequestTimeout {
		return nil
	}
	return []error{registry.ErrUnknownOutcome}
}

// refusalKinds translates an answer in which the API refuses the request.
func refusalKinds(err error) []error {
	var status *statusError
	if !errors.As(err, &status) {
		return nil
	}
	switch status.code {
	case http.StatusUnauthorized:
		return []error{registry.ErrDenied, registry.ErrUnauthenticated}
	case http.StatusForbidden:
		if status.kind == "permissions_denied" || status.kind == "denied_authentication" {
			return []error{registry.ErrDenied}
		}
		return []error{registry.ErrConflict} // a quota or a policy for this object
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return []error{registry.ErrConflict}
	case http.StatusTooManyRequests:
		return []error{registry.ErrThrottled}
	case http.StatusNotFound:
		return []error{registry.ErrNotFound}
	}
	return nil
}
