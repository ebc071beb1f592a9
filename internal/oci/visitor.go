package oci

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// NewVisitor is a plane that reads what everybody can read: it does not log in.
func NewVisitor(o Options) *Plane {
	o.Password = ""
	return NewReader(o)
}

// Shows reports whether the registry shows a tag; over the plane of a visitor, whether
// everybody can pull it.
func (c Connection) Shows(ctx context.Context, tag string) (bool, error) {
	_, err := c.Puller.Head(ctx, c.Repository.Tag(tag))
	var answer *transport.Error
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return false, nil
		}
	}
	return err == nil, err
}
