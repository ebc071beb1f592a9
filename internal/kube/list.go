package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// list reads a whole list in one namespace, or ("") in every one, and counts its
// objects. It may add an object more than once, because it reads a page again that
// it could not read, and the list again when its snapshot has expired.
func (c *client) list(ctx context.Context, r Resource, namespace string, add func(*object) error) (int, error) {
	for restarts := 0; ; restarts++ {
		count, err := c.listOnce(ctx, r, namespace, add)
		var refused *refusal
		if !errors.As(err, &refused) || refused.code != http.StatusGone {
			return count, err
		}
		if restarts == c.limits.restarts {
			return count, fmt.Errorf("the list expired before it was read, %d times (410): %s", restarts+1, refused.message)
		}
		c.retry(r.String(), err)
	}
}

func (c *client) listOnce(ctx context.Context, r Resource, namespace string, add func(*object) error) (int, error) {
	next, count := "", 0
	seen := map[string]bool{}
	for range c.limits.pages {
		var p page
		err := c.get(ctx, r.page(c, namespace, next), func(body io.Reader) (err error) {
			p, err = readPage(body, r.Kind, c.limits.object, func(o *object) error {
				count++
				return add(o)
			})
			return err
		})
		switch {
		case err != nil:
			return count, err
		case p.Continue == "":
			return count, nil
		case seen[p.Continue]:
			return count, errors.New("the cluster sent the same page of the list again")
		}
		next = p.Continue
		seen[next] = true
	}
	return count, fmt.Errorf("the list has more than %d pages", c.limits.pages)
}

// isMissing reports whether the cluster answers that a namespace does not exist. A
// namespace that may not be read may exist.
func (c *client) isMissing(ctx context.Context, namespace string) bool {
	err := c.get(ctx, c.request("api", "v1").Resource("namespaces").Name(namespace), func(io.Reader) error { return nil })
	var refused *refusal
	return errors.As(err, &refused) && refused.code == http.StatusNotFound && refused.reason == "NotFound"
}
