package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// movedTag moves a tag, pushes the same again, and pulls it, and compares the times.
func (s *scratch) movedTag(ctx context.Context) error {
	u, _, err := s.pushed(ctx, "moved", "tag")
	if err != nil {
		return err
	}
	before, err := u.times(ctx)
	if err != nil {
		return err
	}
	other, err := tiny("moved again")
	if err != nil {
		return err
	}
	f := &s.report.Findings
	for _, step := range []struct {
		finding string
		fact    *Fact
		do      func() error
		image   *Fact // whether the image changed too; nil if that is not asked
		words   string
	}{
		{"move_bumps_tag", &f.MoveBumpsTag, func() error { return u.push(ctx, other, "tag") }, &f.MoveBumpsImage, "after the tag was moved"},
		{"repush_bumps_tag", &f.RepushBumpsTag, func() error { return u.repush(ctx, other, "tag") }, nil, "after the same was pushed again"},
		{"pull_bumps_tag", &f.PullBumpsTag, func() error { return u.pullAll(ctx, "tag") }, nil, "after a pull"},
	} {
		if err := s.pause(ctx); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
		if err := s.pause(ctx); err != nil { // it may be noted a moment later
			return err
		}
		after, err := u.times(ctx)
		if err != nil {
			return err
		}
		*step.fact = Known(after.tag.After(before.tag))
		s.saw(step.finding, "%s, its updated_at %s", step.words, moved(before.tag, after.tag))
		if step.image != nil {
			*step.image = Known(after.image.After(before.image))
			s.saw("move_bumps_image", "%s, the updated_at of its image %s", step.words, moved(before.image, after.image))
		}
		before = after
	}
	return nil
}

// repush sends a manifest that is there already, as docker push does.
func (u *subject) repush(ctx context.Context, what pushable, tag string) error {
	if err := u.oci.Pusher.Put(ctx, u.oci.Repository.Tag(tag), what); err != nil {
		return &pushError{u.ref, err}
	}
	return nil
}

// moved are two times in words.
func moved(before, after time.Time) string {
	const layout = "15:04:05.000000"
	if after.Equal(before) {
		return "was still " + before.Format(layout)
	}
	return fmt.Sprintf("went from %s to %s", before.Format(layout), after.Format(layout))
}

// changed are the times of the last change.
type changed struct{ tag, image time.Time }

// times reads the times of the tag and the image.
func (u *subject) times(ctx context.Context) (c changed, err error) {
	tags, err := u.tags(ctx)
	if err != nil {
		return c, err
	}
	tag, ok := tagOf(tags, "tag")
	if !ok {
		return c, fmt.Errorf("%s has lost its tag", u.ref)
	}
	var image registry.Image
	image, _, err = u.API.GetImage(ctx, u.Region, u.id)
	return changed{tag.UpdatedAt, image.UpdatedAt}, err
}

// pullAll pulls a tag as a container runtime does: manifest, config and layers.
func (u *subject) pullAll(ctx context.Context, tag string) error {
	got, err := u.oci.Puller.Get(ctx, u.oci.Repository.Tag(tag))
	if err != nil {
		return err
	}
	image, err := got.Image()
	if err != nil {
		return err
	}
	if _, err := image.RawConfigFile(); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		content, err := layer.Compressed()
		if err != nil {
			return err
		}
		if err := content.Close(); err != nil {
			return err
		}
	}
	return nil
}
