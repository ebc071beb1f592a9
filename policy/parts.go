package policy

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// NeedsParts lists the digests that are not known and of which tags that take a place of
// keep.last may be parts; sorted. A part takes no place, so that more tags would be kept.
// Those of a digest in Unread take none either: that it cannot be read is not a gap.
func (j *Judge) NeedsParts(img *registry.Image, v *registry.Verdict) []string {
	deleted := func(tag int) bool { return len(v.Tags[tag].Delete) > 0 && len(v.Tags[tag].Keep) == 0 }
	if len(v.Tags) == 0 {
		return nil
	}
	needs := j.facts.Image(img, nil).UnknownWholes(deleted)
	slices.Sort(needs)
	return needs
}
