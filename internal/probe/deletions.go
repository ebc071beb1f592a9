package probe

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/registry"
)

// sharedDigest deletes one of two tags of a digest.
func (s *scratch) sharedDigest(ctx context.Context) error {
	u, image, err := s.pushed(ctx, "shared", "one", "two")
	if err != nil {
		return err
	}
	refused, err := u.removeTag(ctx, "one")
	if err != nil {
		return err
	}
	if refused != nil {
		s.report.Findings.SharedDigest = "reject"
		s.saw("shared_digest", "the deletion of one of two tags of a digest was refused: %v", refused)
		return nil
	}
	if _, err := s.until(ctx, s.Wait, func() (bool, error) { // the other one may follow
		tags, err := u.tags(ctx)
		_, listed := tagOf(tags, "two")
		return err == nil && !listed, err
	}); err != nil {
		return err
	}
	tags, err := u.tags(ctx)
	if err != nil {
		return err
	}
	other, exists := tagOf(tags, "two")
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	switch {
	case !exists || other.Status != registry.StatusReady:
		s.report.Findings.SharedDigest = "cascade"
		s.saw("shared_digest", "deleting one of two tags of a digest deleted both")
		return nil
	case other.Digest != digest.String():
		return fmt.Errorf("the other tag has the digest %s now", other.Digest)
	}
	pulls, err := u.pulls(ctx, "two")
	if err != nil {
		return err
	}
	if pulls {
		s.report.Findings.SharedDigest = "untag"
		s.saw("shared_digest", "deleting one of two tags of a digest removed that tag alone; %s later the other one is listed, and can be pulled", s.Wait)
		return nil
	}
	s.report.Findings.SharedDigest = "cascade"
	s.saw("shared_digest", "deleting one of two tags of a digest left the other one listed, but it cannot be pulled any more")
	return nil
}

// pushed pushes a tiny image under tags.
func (s *scratch) pushed(ctx context.Context, name string, tags ...string) (*subject, v1.Image, error) {
	u, err := s.subject(name)
	if err != nil {
		return nil, nil, err
	}
	image, err := tiny(name)
	if err != nil {
		return nil, nil, err
	}
	return u, image, u.push(ctx, image, tags...)
}

// lastTag deletes the only tag of an image.
func (s *scratch) lastTag(ctx context.Context) error {
	u, image, err := s.pushed(ctx, "last", "only")
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	if refused, err := u.removeTag(ctx, "only"); err != nil || refused != nil {
		return fmt.Errorf("the last tag of an image could not be deleted: %w", orElse(err, refused))
	}
	began := s.Now()
	vanished, err := u.until(ctx, u.Wait, func() (bool, error) {
		_, listed, err := u.row(ctx)
		return err == nil && !listed, err
	})
	if err != nil {
		return err
	}
	s.report.Findings.ImageRowAfterLastTag = choose(vanished, "vanishes", "stays")
	s.saw("image_row_after_last_tag", "after the deletion of its last tag, the image was %s", choose(vanished,
		"gone after about "+s.Now().Sub(began).Round(s.Tick).String(), "still listed after "+u.Wait.String()))
	pulls, err := u.pulls(ctx, digest.String())
	if err != nil {
		return err
	}
	s.report.Findings.ManifestAfterLastTag = choose(pulls, "stays", "gone")
	s.saw("manifest_after_last_tag", "after the deletion of its last tag, the manifest %s be pulled by its digest", choose(pulls, "can still", "cannot"))
	return nil
}

// indexTag deletes the tag of an index, and looks for its parts, which have no tags.
func (s *scratch) indexTag(ctx context.Context) error {
	u, images, err := s.pushedIndex(ctx, "index")
	if err != nil {
		return err
	}
	if refused, err := u.removeTag(ctx, "multi"); err != nil || refused != nil {
		return fmt.Errorf("the tag of an index could not be deleted: %w", orElse(err, refused))
	}
	if err := s.pause(ctx); err != nil {
		return err
	}
	all, missing, err := u.allPull(ctx, images)
	if err != nil {
		return err
	}
	s.report.Findings.PartsAfterIndex = choose(all, "stay", "gone")
	s.saw("parts_after_index", "after the deletion of the tag of an index, %s", choose(all, "both of its parts, which have no tags, can be pulled", missing+", which has no tag, cannot be pulled"))
	return nil
}

// partTag deletes the tag of a part of an index, and looks whether the index works.
func (s *scratch) partTag(ctx context.Context) error {
	u, images, err := s.pushedIndex(ctx, "part", "amd64", "arm64")
	if err != nil {
		return err
	}
	if refused, err := u.removeTag(ctx, "amd64"); err != nil || refused != nil {
		return fmt.Errorf("the tag of a part of an index could not be deleted: %w", orElse(err, refused))
	}
	if err := s.pause(ctx); err != nil {
		return err
	}
	works, err := u.pulls(ctx, "multi")
	if err != nil {
		return err
	}
	missing := "the index"
	if works {
		if works, missing, err = u.allPull(ctx, images); err != nil {
			return err
		}
	}
	s.report.Findings.IndexAfterPartTag = choose(works, "works", "broken")
	s.saw("index_after_part_tag", "after the deletion of the tag of one part, %s", choose(works, "the index and both parts can be pulled", missing+" cannot be pulled"))
	return nil
}

// pushedIndex pushes an index as multi, and its parts with it, or before it under tags of
// their own.
func (s *scratch) pushedIndex(ctx context.Context, name string, tags ...string) (*subject, []v1.Image, error) {
	u, err := s.subject(name)
	if err != nil {
		return nil, nil, err
	}
	index, images, err := multi(name)
	if err != nil {
		return nil, nil, err
	}
	for i, tag := range tags {
		if err := u.push(ctx, images[i], tag); err != nil {
			return nil, nil, err
		}
	}
	return u, images, u.push(ctx, index, "multi")
}

// allPull reports whether all images can be pulled by their digest, and which cannot.
func (u *subject) allPull(ctx context.Context, images []v1.Image) (all bool, missing string, err error) {
	for _, image := range images {
		digest, err := image.Digest()
		if err != nil {
			return false, "", err
		}
		pulls, err := u.pulls(ctx, digest.String())
		if err != nil || !pulls {
			return false, "the part " + digest.String(), err
		}
	}
	return true, "", nil
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
