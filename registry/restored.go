package registry

import "time"

// Restoration is a tag that was restored from the archive. It is kept until its stay
// ends, and takes no place in any count.
type Restoration struct {
	Ref    Ref // of the tag
	Digest string
	At     time.Time // when it was restored
	Until  time.Time // when its stay ends
}

// Restorations are the tags that were restored, by their images. nil has none.
type Restorations map[Ref][]Restoration

// NewRestorations sorts restorations by their images.
func NewRestorations(all []Restoration) Restorations {
	out := Restorations{}
	for _, r := range all {
		image := r.Ref.WithoutTag()
		out[image] = append(out[image], r)
	}
	return out
}

// Of is the restoration of a tag with the digest that it was restored with, and whose
// stay has not ended.
func (r Restorations) Of(image Ref, tag *Tag, now time.Time) (found Restoration, ok bool) {
	for _, one := range r[image] {
		if one.Ref.Tag == tag.Name && one.Digest == tag.Digest && now.Before(one.Until) && (!ok || one.Until.After(found.Until)) {
			found, ok = one, true
		}
	}
	return found, ok
}
