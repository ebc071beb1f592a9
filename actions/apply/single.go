package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// single does a unit of one step on an image or a namespace.
func (t *turn) single(u *unit) {
	i := u.steps[0]
	t.take()
	t.carryOut(t.run.changeOf(i))
}

// changeOf is the change that a step on an image or a namespace asks for.
func (r *run) changeOf(i int) change {
	e, s := r.editor, &r.steps[i]
	c := change{step: i}
	switch s.Action {
	case actions.DeleteImage:
		c.look = func(ctx context.Context) (sight, error) { return r.sightOfImage(ctx, s) }
		c.read = func(ctx context.Context) (sight, error) { return r.sightOfEmptyImage(ctx, s) }
		c.send = func(ctx context.Context) error { return e.DeleteImage(ctx, s.Region, s.ID) }
	case actions.DeleteNamespace:
		c.look = func(ctx context.Context) (sight, error) { return r.sightOfNamespace(ctx, s) }
		c.read = func(ctx context.Context) (sight, error) { return r.sightOfEmptyNamespace(ctx, s) }
		c.send = func(ctx context.Context) error { return e.DeleteNamespace(ctx, s.Region, s.ID) }
	case actions.SetImageVisibility:
		c.look = func(ctx context.Context) (sight, error) { return r.sightOfImage(ctx, s) }
		c.read = c.look
		c.send = func(ctx context.Context) error { return e.SetImageVisibility(ctx, s.Region, s.ID, s.To) }
	default:
		c.look = func(ctx context.Context) (sight, error) { return r.sightOfNamespace(ctx, s) }
		c.read = c.look
		c.send = func(ctx context.Context) error { return e.SetNamespaceVisibility(ctx, s.Region, s.ID, s.To) }
	}
	return c
}

// sightOfEmptyImage reads an image that must be empty. The image is read last,
// so that as little as possible lies between its being seen and its deletion.
func (r *run) sightOfEmptyImage(ctx context.Context, s *actions.Step) (sight, error) {
	if used := r.inUse(s); used != "" {
		return sight{other, used}, nil
	}
	tags, err := r.editor.ListTags(ctx, s.Region, s.ID)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return sight{}, err
	}
	seen, err := r.sightOfImage(ctx, s)
	if err == nil && seen.is == asPlanned && len(tags) > 0 {
		return sight{other, "it is not empty any more: it has " + text.Count(len(tags), "tag")}, nil
	}
	return seen, err
}

// sightOfImage holds an image, read now, against its step.
func (r *run) sightOfImage(ctx context.Context, s *actions.Step) (sight, error) {
	img, err := r.editor.GetImage(ctx, s.Region, s.ID)
	if err != nil {
		return absence(err)
	}
	seen := r.sightOf(s, img.Status, img.Visibility, img.UpdatedAt)
	switch {
	case seen.is != asPlanned:
	case img.Name != s.Image:
		return sight{other, "it is named " + img.Name + " now"}, nil
	case s.Action != actions.DeleteImage:
	case len(img.TagNames) > 0:
		return sight{other, "it is not empty any more: it names " + text.Count(len(img.TagNames), "tag")}, nil
	case img.SizeBytes > 0:
		return sight{other, fmt.Sprintf("it is not empty any more: it has a size of %d bytes", img.SizeBytes)}, nil
	}
	return seen, nil
}

// sightOfEmptyNamespace reads a namespace that must be empty: the API deletes it
// with everything in it.
func (r *run) sightOfEmptyNamespace(ctx context.Context, s *actions.Step) (sight, error) {
	images, err := r.editor.ListImages(ctx, s.Region, s.ID)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return sight{}, err
	}
	seen, err := r.sightOfNamespace(ctx, s)
	if err == nil && seen.is == asPlanned && len(images) > 0 {
		return sight{other, "it is not empty any more: it has " + text.Count(len(images), "image")}, nil
	}
	return seen, err
}

// sightOfNamespace holds a namespace, read now, against its step.
func (r *run) sightOfNamespace(ctx context.Context, s *actions.Step) (sight, error) {
	ns, err := r.editor.GetNamespace(ctx, s.Region, s.ID)
	if err != nil {
		return absence(err)
	}
	seen := r.sightOf(s, ns.Status, ns.Visibility(), ns.UpdatedAt)
	switch {
	case seen.is != asPlanned:
	case ns.Name != s.Namespace:
		return sight{other, "it is named " + ns.Name + " now"}, nil
	case s.Action == actions.DeleteNamespace && ns.ImageCount > 0:
		return sight{other, "it is not empty any more: the API counts " + text.Count(int(min(ns.ImageCount, 1<<31-1)), "image")}, nil
	}
	return seen, nil
}

// sightOf compares what images and namespaces have in common. The updated_at of
// an object of which the run itself has changed something says nothing about
// others.
func (r *run) sightOf(s *actions.Step, status registry.Status, visibility registry.Visibility, updated time.Time) sight {
	switch {
	case status == registry.StatusDeleting:
		return sight{is: deleting}
	case status != registry.StatusReady:
		return sight{other, "its status is " + status.OrMissing()}
	case !s.Action.Deletes() && visibility == s.To:
		return sight{is: reached}
	case !s.Action.Deletes() && visibility != s.From:
		return sight{other, "it is " + string(visibility) + " now"}
	case !updated.Equal(s.UpdatedAt) && !r.isTouched(s):
		return sight{other, "it was updated at " + stamp(updated) + ", after it was judged"}
	}
	return sight{is: asPlanned}
}

// absence tells an object that is not there from one that cannot be read.
func absence(err error) (sight, error) {
	if errors.Is(err, registry.ErrNotFound) {
		return sight{is: absent}, nil
	}
	return sight{}, err
}

// containers are the references of the namespace and, if it is about one, of the
// image of a step.
func containers(s *actions.Step) (namespace, image string) {
	ref := registry.Ref{Region: s.Region, Namespace: s.Namespace}
	namespace = ref.String()
	if s.Image != "" {
		ref.Image = s.Image
		image = ref.String()
	}
	return namespace, image
}
