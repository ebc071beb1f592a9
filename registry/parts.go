package registry

import (
	"maps"
	"slices"
)

// PartsOf are the digests that the index of this digest consists of, those of the indexes
// in it included, as far as they were read. It is empty for what is not an index, and for
// what was not read. The list may be shared: read only.
func (i *Image) PartsOf(digest string) []string {
	content := i.Contents[digest]
	if content == nil {
		return nil
	}
	isIndex := func(part string) bool { c := i.Contents[part]; return c != nil && len(c.Parts) > 0 }
	if !slices.ContainsFunc(content.Parts, isIndex) {
		return content.Parts
	}
	seen := map[string]bool{digest: true}
	var all []string
	for queue := content.Parts; len(queue) > 0; queue = queue[1:] {
		part := queue[0]
		if seen[part] {
			continue
		}
		seen[part] = true
		all = append(all, part)
		if isIndex(part) {
			queue = slices.Concat(queue, i.Contents[part].Parts)
		}
	}
	return all
}

// First lists, by digest, what must be deleted before it: the indexes that it, or what it is
// attached to, is or may be a part of, and the subject in its content. Nothing must be
// deleted before itself: of what names leave open, the newer tag is the index.
func (i *Image) First() map[string][]string {
	wholes, first := i.Wholes(), map[string][]string{}
	add := func(digest string, indexes []string) {
		for _, index := range indexes {
			if !slices.Contains(first[digest], index) && !isBefore(first, digest, index) {
				first[digest] = append(first[digest], index)
			}
		}
	}
	subjects := i.Subjects()
	for k := range i.Tags {
		digest, subject := i.Tags[k].Digest, subjects[k]
		add(digest, wholes.Of(k))
		add(digest, wholes.OfSubject(subject))
		if content := i.Contents[digest]; content != nil && content.Subject == string(subject) && subject != "" {
			add(digest, []string{content.Subject}) // its name does not show it
		}
	}
	oldestFirst := func(a, b int) int { return CompareAge(i.Tags[b], i.Tags[a]) }
	for _, k := range slices.SortedFunc(maps.Keys(wholes.maybe), oldestFirst) {
		add(i.Tags[k].Digest, wholes.MaybeOf(k))
	}
	return first
}

// isBefore reports whether a digest is another one, or must be deleted before it.
func isBefore(first map[string][]string, digest, other string) bool {
	seen := map[string]bool{other: true}
	for queue := []string{other}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == digest {
			return true
		}
		for _, next := range first[queue[0]] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return false
}

// Wholes are the indexes of an image that its other tags are parts of.
type Wholes struct {
	byPart map[string][]string
	known  map[int][]string
	maybe  map[int][]string
}

// Wholes finds which tags are parts of an index that another tag has, and which may be, by
// their names: the content of that other tag was not read.
func (i *Image) Wholes() Wholes {
	byPart := i.indexes()
	return Wholes{byPart: byPart, known: i.knownWholes(byPart), maybe: i.maybeWholes()}
}

// Of are the digests of the indexes that a tag, by its position, is a part of, sorted.
func (w *Wholes) Of(tag int) []string { return w.known[tag] }

// OfSubject are the digests of the indexes that the subject of an attachment is a part of,
// sorted.
func (w *Wholes) OfSubject(s Subject) []string {
	if !s.MayBeShort() {
		return w.byPart[string(s)]
	}
	var all []string
	for part, indexes := range w.byPart {
		if s.Is(part) {
			all = append(all, indexes...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// MaybeOf are the digests whose content was not read, and that a tag may be a part of,
// sorted.
func (w *Wholes) MaybeOf(tag int) []string { return w.maybe[tag] }

// Unsure reports whether any tag may be a part of a digest whose content was not read.
func (w *Wholes) Unsure() bool { return len(w.maybe) > 0 }

// indexes are the digests of the indexes that tags have, by part, each list sorted.
func (i *Image) indexes() map[string][]string {
	if len(i.Contents) == 0 {
		return nil
	}
	var indexes map[string][]string
	seen := map[string]bool{}
	for k := range i.Tags {
		digest := i.Tags[k].KnownDigest()
		if digest == "" || seen[digest] {
			continue
		}
		seen[digest] = true
		for _, part := range i.PartsOf(digest) {
			if indexes == nil {
				indexes = map[string][]string{}
			}
			if of := indexes[part]; part != digest && (len(of) == 0 || of[len(of)-1] != digest) {
				indexes[part] = append(of, digest)
			}
		}
	}
	for _, list := range indexes {
		slices.Sort(list)
	}
	return indexes
}

// holders are the digests of tags, by themselves and by the parts of their indexes.
func (i *Image) holders() map[string][]string {
	holders := i.indexes()
	if holders == nil {
		holders = map[string][]string{}
	}
	for k := range i.Tags {
		digest := i.Tags[k].KnownDigest()
		holders[digest] = append(holders[digest], digest)
	}
	return holders
}

func (i *Image) knownWholes(indexes map[string][]string) map[int][]string {
	if indexes == nil {
		return nil
	}
	out := map[int][]string{}
	for k := range i.Tags {
		if of := indexes[i.Tags[k].Digest]; of != nil {
			out[k] = of
		}
	}
	return out
}

// maybeWholes compares the names of tags, except of attachments.
func (i *Image) maybeWholes() map[int][]string {
	if !i.namesPlatforms() { // most do not, and every image is asked
		return nil
	}
	names := make([]PlatformName, len(i.Tags))
	platforms := map[string]bool{} // the bases of which there is a tag with another name
	for k := range i.Tags {
		if names[k] = ParsePlatform(i.Tags[k].Name); names[k].Base != i.Tags[k].Name {
			platforms[names[k].Base] = true
		}
	}
	related := map[string][]int{} // the tags of a base
	for k := range i.Tags {
		if platforms[names[k].Base] {
			related[names[k].Base] = append(related[names[k].Base], k)
		}
	}
	out := map[int][]string{}
	for _, tags := range related {
		for _, part := range tags {
			for _, index := range tags {
				digest := i.Tags[index].KnownDigest()
				if digest != "" && i.Contents[digest] == nil && digest != i.Tags[part].Digest && names[part].MayBePartOf(names[index]) && !slices.Contains(out[part], digest) {
					out[part] = append(out[part], digest)
				}
			}
			slices.Sort(out[part])
		}
	}
	return out
}

// namesPlatforms reports whether the name of any tag has a word for a platform.
func (i *Image) namesPlatforms() bool {
	for k := range i.Tags {
		if ParsePlatform(i.Tags[k].Name).Base != i.Tags[k].Name {
			return true
		}
	}
	return false
}
