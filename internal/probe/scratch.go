package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// scratch is the namespace of one probe.
type scratch struct {
	*Prober
	namespace registry.Namespace
	report    *Report
	took      []time.Duration // from the request for a deletion until the tag was gone
}

// experiment makes all experiments. One that shows nothing leaves its findings unknown;
// the error is that of images that could not be pushed.
func (s *scratch) experiment(ctx context.Context) error {
	for _, e := range []struct {
		about string
		make  func(context.Context) error
	}{
		{"tags that share a digest", s.sharedDigest},
		{"the last tag of an image", s.lastTag},
		{"the tag of an index", s.indexTag},
		{"the tag of a part of an index", s.partTag},
		{"moved tags", s.movedTag},
		{"an image of 250 tags", s.manyTags},
		{"what does not exist", s.missing},
		{"the rate of requests", s.rate},
		{"the time of deletions", s.deletionTimes},
	} {
		s.Log.Info("trying " + e.about)
		err := e.make(ctx)
		var push *pushError
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("the probe was stopped: %w", context.Cause(ctx))
		case errors.As(err, &push):
			return err
		case err != nil:
			s.Log.Warn("an experiment failed, so its findings are unknown", "about", e.about, "error", err)
		}
	}
	return nil
}

// saw notes the evidence of a finding.
func (s *scratch) saw(finding, format string, args ...any) {
	s.report.Evidence[finding] = fmt.Sprintf(format, args...)
}

// pushError is the error of an image that could not be pushed.
type pushError struct {
	image registry.Ref
	err   error
}

func (e *pushError) Error() string { return fmt.Sprintf("push %s: %v", e.image, e.err) }
func (e *pushError) Unwrap() error { return e.err }

// subject is one image of an experiment.
type subject struct {
	*scratch
	ref registry.Ref
	oci oci.Connection
	id  string // once it is listed
}

func (s *scratch) subject(name string) (*subject, error) {
	ref := registry.Ref{Region: s.Region, Namespace: s.namespace.Name, Image: name}
	connection, err := s.Connect(ref)
	if err != nil {
		return nil, &pushError{ref, err}
	}
	return &subject{scratch: s, ref: ref, oci: connection}, nil
}

// push pushes what a tag shall have, and waits until the API lists it.
func (u *subject) push(ctx context.Context, what pushable, tags ...string) error {
	for _, tag := range tags {
		ref := u.ref
		ref.Tag = tag
		if err := u.oci.Pusher.Push(ctx, u.oci.Repository.Tag(tag), what); err != nil {
			return &pushError{ref, err}
		}
	}
	digest, err := what.Digest()
	if err != nil {
		return err
	}
	return u.wait(ctx, func(listed []registry.Tag) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool {
			return !slices.ContainsFunc(listed, func(t registry.Tag) bool {
				return t.Name == tag && t.Digest == digest.String() && t.Status == registry.StatusReady
			})
		})
	})
}

// wait lists the tags until they are as wanted, or the time is over, which is an error.
func (u *subject) wait(ctx context.Context, wanted func([]registry.Tag) bool) error {
	is, err := u.until(ctx, u.Wait, func() (bool, error) {
		tags, err := u.tags(ctx)
		return err == nil && wanted(tags), err
	})
	if !is && err == nil {
		err = fmt.Errorf("%s did not become what was expected within %s", u.ref, u.Wait)
	}
	return err
}

// tags lists the tags. An image that does not exist has none.
func (u *subject) tags(ctx context.Context) ([]registry.Tag, error) {
	if u.id == "" {
		image, ok, err := u.row(ctx)
		if err != nil || !ok {
			return nil, err
		}
		u.id = image.ID
	}
	tags, _, err := u.API.ListTags(ctx, u.Region, u.id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	return tags, err
}

// row is the row of the image in the listing of its namespace.
func (u *subject) row(ctx context.Context) (registry.Image, bool, error) {
	images, _, err := u.API.ListImages(ctx, u.Region, u.namespace.ID)
	i := slices.IndexFunc(images, func(i registry.Image) bool { return i.Name == u.ref.Image })
	if i < 0 {
		return registry.Image{}, false, err
	}
	return images[i], true, err
}

// tagOf is one tag of a listing.
func tagOf(tags []registry.Tag, name string) (registry.Tag, bool) {
	i := slices.IndexFunc(tags, func(t registry.Tag) bool { return t.Name == name })
	if i < 0 {
		return registry.Tag{}, false
	}
	return tags[i], true
}

// removeTag deletes a tag, and waits until it is gone. It returns the refusal of the API
// beside what went wrong.
func (u *subject) removeTag(ctx context.Context, name string) (refused, err error) {
	tags, err := u.tags(ctx)
	if err != nil {
		return nil, err
	}
	tag, ok := tagOf(tags, name)
	if !ok {
		return nil, fmt.Errorf("%s has no tag %s", u.ref, name)
	}
	began := u.Now()
	if _, err := u.API.DeleteTag(ctx, u.Region, tag.ID, time.Time{}); err != nil {
		if errors.Is(err, registry.ErrConflict) {
			return err, nil
		}
		return nil, err
	}
	err = u.wait(ctx, func(tags []registry.Tag) bool {
		_, ok := tagOf(tags, name)
		return !ok
	})
	if err == nil {
		u.took = append(u.took, u.Now().Sub(began))
	}
	return nil, err
}

// pulls reports whether the registry still serves a manifest: by a tag, or by a digest.
func (u *subject) pulls(ctx context.Context, identifier string) (bool, error) {
	var err error
	if _, isTag := digestOf(identifier); isTag {
		_, err = u.oci.Puller.Get(ctx, u.oci.Repository.Tag(identifier))
	} else {
		_, err = u.oci.Puller.Get(ctx, u.oci.Repository.Digest(identifier))
	}
	var answered *transport.Error
	if errors.As(err, &answered) && answered.StatusCode == 404 {
		return false, nil
	}
	return err == nil, err
}

// deletionTimes says how long deletions took.
func (s *scratch) deletionTimes(context.Context) error {
	if len(s.took) == 0 {
		return errors.New("no tag could be deleted")
	}
	round := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	s.saw("deletions", "of %s took %s to %s, looked at every %s", text.Count(len(s.took), "tag"), round(slices.Min(s.took)), round(slices.Max(s.took)), s.Tick)
	return nil
}

// pause lets the clock of the API pass on.
func (s *scratch) pause(ctx context.Context) error { return clock.Sleep(ctx, s.Tick) }
