package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/registry-janitor/registry-janitor/registry"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Editor reads single objects, deletes them, and changes their visibility. It is
// safe for concurrent use.
//
// A change is sent exactly once by each call: no part of the transport repeats
// it, and a redirect is not followed. Reads are repeated after passing faults, as
// those of a Reader are.
//
// Its errors wrap registry.ErrNotFound (404), registry.ErrDenied (401, and 403
// permissions_denied), registry.ErrConflict (409, 412, 423, any other 403),
// registry.ErrThrottled (429), and, for changes only, registry.ErrUnknownOutcome
// for everything that is no answer of the API to the change: a timeout, a cut
// connection, 5xx, a redirect, a 200 that is not one JSON object. A change that
// fails with none of them was not made.
type Editor struct {
	read  *Reader
	write *sdk.API
}

// NewEditor finds the credentials and makes an Editor, as NewReader does. Reads
// and changes share the pace of one client. It sends nothing.
func NewEditor(o Options) (*Editor, error) {
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	e := &Editor{}
	if e.read, err = c.reader(verdicts); err != nil {
		return nil, err
	}
	// No retrier: whether a change may be sent again is not for the transport to say.
	client, err := c.client(&writeOnly{host: c.creds.apiHost, next: c.pacer})
	if err != nil {
		return nil, err
	}
	e.write = sdk.NewAPI(client)
	return e, nil
}

// GetTag reads a tag.
func (e *Editor) GetTag(ctx context.Context, region registry.Region, id string) (registry.Tag, error) {
	if err := checkObject(region, id); err != nil {
		return registry.Tag{}, fmt.Errorf("read tag: %w", err)
	}
	row, err := e.read.api.GetTag(&sdk.GetTagRequest{Region: scw.Region(region), TagID: id}, scw.WithContext(ctx))
	var tag registry.Tag
	if err == nil {
		tag, err = toTag(row, "")
	}
	if err == nil {
		err = belongs("id", tag.ID, id)
	}
	if err != nil {
		return registry.Tag{}, e.read.fail(ctx, err, "read tag %s in %s", id, region)
	}
	return tag, nil
}

// GetImage reads an image. Its Namespace is nil, and NamespaceID is set.
func (e *Editor) GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, error) {
	if err := checkObject(region, id); err != nil {
		return registry.Image{}, fmt.Errorf("read image: %w", err)
	}
	row, err := e.read.api.GetImage(&sdk.GetImageRequest{Region: scw.Region(region), ImageID: id}, scw.WithContext(ctx))
	var image registry.Image
	if err == nil {
		image, err = toImage(row, registry.Query{Region: region})
	}
	if err == nil {
		err = belongs("id", image.ID, id)
	}
	if err != nil {
		return registry.Image{}, e.read.fail(ctx, err, "read image %s in %s", id, region)
	}
	return image, nil
}

// GetNamespace reads a namespace.
func (e *Editor) GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, error) {
	if err := checkObject(region, id); err != nil {
		return registry.Namespace{}, fmt.Errorf("read namespace: %w", err)
	}
	row, err := e.read.api.GetNamespace(&sdk.GetNamespaceRequest{Region: scw.Region(region), NamespaceID: id}, scw.WithContext(ctx))
	var namespace registry.Namespace
	if err == nil {
		namespace, err = toNamespace(row, registry.Query{Region: region})
	}
	if err == nil {
		err = belongs("id", namespace.ID, id)
	}
	if err != nil {
		return registry.Namespace{}, e.read.fail(ctx, err, "read namespace %s in %s", id, region)
	}
	return namespace, nil
}

// ListTags lists every tag of an image: all of them, or an error.
func (e *Editor) ListTags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, error) {
	return e.read.Tags(ctx, region, imageID)
}

// ListImages lists every image of a namespace: all of them, or an error.
func (e *Editor) ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, error) {
	if err := checkObject(region, namespaceID); err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var images []registry.Image
	for image, err := range e.read.Images(ctx, registry.Query{Region: region, NamespaceID: namespaceID}) {
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	return images, nil
}

// DeleteTag asks the API to delete a tag, without force. The answer says that it
// has begun, not that the tag is gone.
func (e *Editor) DeleteTag(ctx context.Context, region registry.Region, id string) error {
	return e.change(ctx, "delete tag", region, id, func(region scw.Region) error {
		_, err := e.write.DeleteTag(&sdk.DeleteTagRequest{Region: region, TagID: id}, scw.WithContext(ctx))
		return err
	})
}

// DeleteImage asks the API to delete an image with all its tags.
func (e *Editor) DeleteImage(ctx context.Context, region registry.Region, id string) error {
	return e.change(ctx, "delete image", region, id, func(region scw.Region) error {
		_, err := e.write.DeleteImage(&sdk.DeleteImageRequest{Region: region, ImageID: id}, scw.WithContext(ctx))
		return err
	})
}

// DeleteNamespace asks the API to delete a namespace with all that is in it.
func (e *Editor) DeleteNamespace(ctx context.Context, region registry.Region, id string) error {
	return e.change(ctx, "delete namespace", region, id, func(region scw.Region) error {
		_, err := e.write.DeleteNamespace(&sdk.DeleteNamespaceRequest{Region: region, NamespaceID: id}, scw.WithContext(ctx))
		return err
	})
}

// SetImageVisibility makes an image private or public, or lets it inherit.
func (e *Editor) SetImageVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility) error {
	if to != registry.Private && to != registry.Public && to != registry.Inherit {
		return fmt.Errorf("set the visibility of image %s: %q is none", id, to)
	}
	return e.change(ctx, "make "+string(to)+" image", region, id, func(region scw.Region) error {
		_, err := e.write.UpdateImage(&sdk.UpdateImageRequest{Region: region, ImageID: id, Visibility: sdk.ImageVisibility(to)}, scw.WithContext(ctx))
		return err
	})
}

// SetNamespaceVisibility makes a namespace private or public.
func (e *Editor) SetNamespaceVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility) error {
	if to != registry.Private && to != registry.Public {
		return fmt.Errorf("set the visibility of namespace %s: %q is none that it can have", id, to)
	}
	return e.change(ctx, "make "+string(to)+" namespace", region, id, func(region scw.Region) error {
		public := to == registry.Public
		_, err := e.write.UpdateNamespace(&sdk.UpdateNamespaceRequest{Region: region, NamespaceID: id, IsPublic: &public}, scw.WithContext(ctx))
		return err
	})
}

// change sends a change and translates its error.
func (e *Editor) change(ctx context.Context, what string, region registry.Region, id string, send func(scw.Region) error) error {
	if err := checkObject(region, id); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := send(scw.Region(region)); err != nil {
		kinds, text := fate(err), plain(err)
		if ctx.Err() != nil {
			kinds, text = append(kinds, ctx.Err()), context.Cause(ctx).Error()
		}
		return &readError{text: e.read.redact.text(fmt.Sprintf("%s %s in %s: %s", what, id, region, text)), kinds: kinds}
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

// verdicts are the errors of package registry that a failed read stands for. They
// are finer than those of a Reader, to which every 403 is one.
func verdicts(err error) []error {
	if kind := refusalKind(err); kind != nil {
		return []error{kind}
	}
	if errors.Is(err, registry.ErrIncomplete) {
		return []error{registry.ErrIncomplete}
	}
	return nil
}

// fate says what is known of a change after an error: nothing when it was
// refused for good or never sent.
func fate(err error) []error {
	if kind := refusalKind(err); kind != nil {
		return []error{kind}
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

// refusalKind translates an answer in which the API says no.
func refusalKind(err error) error {
	var status *statusError
	if !errors.As(err, &status) {
		return nil
	}
	switch status.code {
	case http.StatusUnauthorized:
		return registry.ErrDenied
	case http.StatusForbidden:
		if status.kind == "permissions_denied" || status.kind == "denied_authentication" {
			return registry.ErrDenied
		}
		return registry.ErrConflict // a quota, a policy: it is about the object
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return registry.ErrConflict
	case http.StatusTooManyRequests:
		return registry.ErrThrottled
	case http.StatusNotFound:
		return registry.ErrNotFound
	}
	return nil
}
