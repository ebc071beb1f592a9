package policy

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// NeedsParts lists the digests that are not known and of which tags that take a place of
// keep.last may be parts; sorted. A part takes no place, so that more tags would be kept.
// Those of a digest in Unread take none either: that it cannot be read is not a gap.
func (j *Judge) NeedsParts(img *registry.Image, v *registry.Verdict) []string {
	isDeleted := func(t registry.TagVerdict) bool { return len(t.Delete) > 0 && len(t.Keep) == 0 }
	if !slices.ContainsFunc(v.Tags, isDeleted) {
		return nil
	}
	if wholes := img.Wholes(); !j.engine.rules.AnyMayBePart() && !wholes.Unsure() {
		return nil
	}
	deleted := func(tag int) bool { return isDeleted(v.Tags[tag]) }
	needs := j.facts.Image(img, nil).UnknownWholes(deleted)
	slices.Sort(needs)
	return needs
}
