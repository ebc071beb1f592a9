package registry

import (
	"cmp"
	"slices"
)

// Use is something that needs a tag, a digest, or both, which are then kept.
type Use struct {
	// Ref is the reference of the tag in use, or of the image if only the digest is known. The
	// zero Ref with a digest means that digest in every image.
	Ref    Ref
	Digest string // "" when only a tag is named
	By     string // what uses it: "serverless container shop/api (fr-par)"
}

// CompareUses orders uses, so that the order in which they were read does not
// matter.
func CompareUses(a, b Use) int {
	return cmp.Or(
		cmp.Compare(a.Ref.Region, b.Ref.Region), cmp.Compare(a.Ref.Namespace, b.Ref.Namespace),
		cmp.Compare(a.Ref.Image, b.Ref.Image), cmp.Compare(a.Ref.Tag, b.Ref.Tag),
		cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.By, b.By))
}

// RawUse is a use as its source writes it: a reference that is short, with a tag,
// with a digest, or in any registry, and who uses it.
type RawUse struct {
	Reference string
	By        string
}

// UseIndex finds the uses of images and tags: an image that is not in use costs one
// look-up. It is immutable. The nil index has no use.
type UseIndex struct {
	images   map[Ref]*imageUses
	anywhere map[string][]string // digest → what uses it in every image
}

// imageUses are the uses of one image.
type imageUses struct {
	by      []string // of any of it
	tags    map[string][]string
	digests map[string][]string
}

// NewUseIndex makes an index of uses in any order, with or without duplicates.
func NewUseIndex(uses []Use) *UseIndex {
	if len(uses) == 0 {
		return nil
	}
	x := &UseIndex{images: map[Ref]*imageUses{}, anywhere: map[string][]string{}}
	for _, u := range uses {
		if u.Ref == (Ref{}) {
			if u.Digest == "" {
				continue
			}
			x.anywhere[u.Digest] = insert(x.anywhere[u.Digest], u.By)
			continue
		}
		image := u.Ref.WithoutTag()
		of := x.images[image]
		if of == nil {
			of = &imageUses{tags: map[string][]string{}, digests: map[string][]string{}}
			x.images[image] = of
		}
		of.by = insert(of.by, u.By)
		if u.Ref.Tag != "" {
			of.tags[u.Ref.Tag] = insert(of.tags[u.Ref.Tag], u.By)
		}
		if u.Digest != "" {
			of.digests[u.Digest] = insert(of.digests[u.Digest], u.By)
		}
	}
	return x
}

// InImage returns what uses the image, and what uses each of its tags, in the order
// of the tags. Both are nil when nothing uses the image, and tags is nil when no
// tag is in use. A digest in use is a use of every tag that has it, and of every index
// that it is a part of, as far as contents are known. The lists are sorted and shared:
// read only.
func (x *UseIndex) InImage(img *Image) (image []string, tags [][]string) {
	if x == nil {
		return nil, nil
	}
	of := x.images[img.Ref()]
	if of == nil && len(x.anywhere) == 0 {
		return nil, nil
	}
	if of != nil {
		image = of.by
	}
	for i := range img.Tags {
		users := x.users(of, img.Tags[i].Name, img.Tags[i].Digest)
		for _, part := range img.PartsOf(img.Tags[i].Digest) {
			users = MergeUsers(users, x.users(of, "", part))
		}
		if users == nil {
			continue
		}
		if tags == nil {
			tags = make([][]string, len(img.Tags))
		}
		tags[i] = users
	}
	return image, tags
}

// Unplaced returns what uses the digests in an image that no tag has, and no index that is
// known: they may be parts of one that is not. It is sorted.
func (x *UseIndex) Unplaced(img *Image) []string {
	if x == nil || x.images[img.Ref()] == nil || len(x.images[img.Ref()].digests) == 0 {
		return nil
	}
	placed := map[string]bool{}
	for i := range img.Tags {
		placed[img.Tags[i].Digest] = true
		for _, part := range img.PartsOf(img.Tags[i].Digest) {
			placed[part] = true
		}
	}
	var users []string
	for digest, by := range x.images[img.Ref()].digests {
		if !placed[digest] {
			users = MergeUsers(users, by)
		}
	}
	return users
}

// Of returns what uses the tag that ref names and that has this digest, or anything
// in the image when ref names no tag: sorted, and nil if nothing does.
func (x *UseIndex) Of(ref Ref, digest string) []string {
	if x == nil {
		return nil
	}
	image := ref.WithoutTag()
	if of := x.images[image]; ref.Tag == "" && of != nil {
		return of.by
	}
	return x.users(x.images[image], ref.Tag, digest)
}

// users joins the uses by name and by digest. No use has an empty tag or an empty
// digest, so tags without one match nothing.
func (x *UseIndex) users(of *imageUses, tag, digest string) []string {
	var users []string
	if of != nil {
		users = MergeUsers(of.tags[tag], of.digests[digest])
	}
	return MergeUsers(users, x.anywhere[digest])
}

// insert adds a name to a sorted list, once.
func insert(sorted []string, name string) []string {
	at, found := slices.BinarySearch(sorted, name)
	if found {
		return sorted
	}
	return slices.Insert(sorted, at, name)
}

// MergeUsers joins two sorted lists of users without changing either.
func MergeUsers(a, b []string) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
