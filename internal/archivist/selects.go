package archivist

import (
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Selects returns which of some steps have their tags copied before they are deleted; nil
// without an archive. An attachment is copied with its subject, unless archive.except
// names it.
func Selects(c *config.Config, now time.Time) (func([]actions.Step) func(*actions.Step) bool, error) {
	if c.Archive == nil {
		return nil, nil
	}
	matched, err := c.Archive.Selector()
	if err != nil {
		return nil, err
	}
	follower := *c.Archive
	follower.Match = nil
	allowed, err := follower.Selector()
	if err != nil {
		return nil, err
	}
	return func(steps []actions.Step) func(*actions.Step) bool {
		is := func(selects func(registry.Ref, time.Duration) bool) func(*actions.Step) bool {
			return func(s *actions.Step) bool {
				ref := s.Object()
				ref.Tag = s.Tag
				return s.Action == actions.DeleteTag && selects(ref, now.Sub(s.UpdatedAt))
			}
		}
		chosen := &choice{refs: map[string]bool{}, digests: map[registry.Ref]map[string]bool{}}
		chosen.add(steps, is(matched))
		if c.Archive.Match != nil {
			follows := is(allowed)
			for chosen.add(steps, func(s *actions.Step) bool { return chosen.hasSubjectOf(s) && follows(s) }) {
			}
		}
		return func(s *actions.Step) bool { return chosen.refs[s.Ref] }
	}, nil
}

// choice is the tags that are copied.
type choice struct {
	refs    map[string]bool
	digests map[registry.Ref]map[string]bool // by image
}

// add chooses those of the steps that are selected, and reports whether there are more now.
func (c *choice) add(steps []actions.Step, selects func(*actions.Step) bool) bool {
	before := len(c.refs)
	for i := range steps {
		s := &steps[i]
		if c.refs[s.Ref] || !selects(s) {
			continue
		}
		c.refs[s.Ref] = true
		if c.digests[s.Object()] == nil {
			c.digests[s.Object()] = map[string]bool{}
		}
		c.digests[s.Object()][s.Digest] = true
	}
	return len(c.refs) > before
}

// hasSubjectOf reports whether the subject of an attachment is chosen. One that only its
// content names may be any tag of the image.
func (c *choice) hasSubjectOf(s *actions.Step) bool {
	chosen := c.digests[s.Object()]
	subject := registry.AttachmentSubject(s.Tag, s.Digest)
	switch {
	case subject == "":
		follows := func(r registry.Reason) bool { return r.Rule == actions.FollowRule }
		return len(chosen) > 0 && slices.ContainsFunc(s.Reasons, follows)
	case !subject.MayBeShort():
		return chosen[string(subject)]
	}
	for digest := range chosen {
		if subject.Is(digest) {
			return true
		}
	}
	return false
}
