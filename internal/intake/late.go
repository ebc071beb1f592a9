package intake

import "github.com/registry-janitor/registry-janitor/registry"

// AddUses adds uses to a verdict, and reports whether there are any.
func AddUses(v *registry.Verdict, index *registry.UseIndex) bool {
	image, tags := index.InImage(v.Image)
	if image == nil && tags == nil {
		return false
	}
	if unplaced := index.Unplaced(v.Image); len(unplaced) > 0 { // too late to read what it is a part of
		if tags == nil {
			tags = make([][]string, len(v.Image.Tags))
		}
		for i := range tags {
			if v.Image.Contents[v.Image.Tags[i].Digest] == nil {
				tags[i] = registry.MergeUsers(tags[i], unplaced)
			}
		}
	}
	v.InUse = registry.MergeUsers(v.InUse, image)
	if tags == nil {
		return true
	}
	if len(v.Tags) == 0 {
		v.Tags = make([]registry.TagVerdict, len(v.Image.Tags))
	}
	for i := range v.Tags {
		v.Tags[i].InUse = registry.MergeUsers(v.Tags[i].InUse, tags[i])
	}
	return true
}

// LateGaps are gaps in place of late uses, where the decisions that they are about
// were not kept: everything in those images is held.
func LateGaps(late []registry.Use) []registry.Gap {
	var gaps []registry.Gap
	for _, u := range late {
		g := registry.Gap{
			Error: "used by " + u.By + ", which appeared while the registry was read",
			Holds: registry.HoldsItself,
		}
		if u.Ref == (registry.Ref{}) {
			g.Subject, g.Holds = u.Digest, registry.HoldsAll
		} else {
			g.Subject = u.Ref.WithoutTag().String()
		}
		gaps = append(gaps, g)
	}
	return gaps
}
