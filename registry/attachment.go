package registry

import (
	"regexp"
	"slices"
	"strings"
)

// Subject is the digest that the name of an attachment names. A sha512 digest
// may be shortened, since a tag has at most 128 characters: compare it with Is. "" is
// the subject of an ordinary tag.
type Subject string

// attachmentName is how cosign, BuildKit and the referrers tag schema of OCI
// distribution name what they attach to a digest.
var attachmentName = regexp.MustCompile(`^(?:sha256-([0-9a-f]{64})|sha512-([0-9a-f]{64,128}))(?:\..*)?$`)

// AttachmentSubject returns the digest to which a tag with this name and this digest
// is attached, and "" for an ordinary tag. Signatures, attestations, bills of
// materials and the like are named after their subject: sha256-<hex>, with any suffix
// that begins with a dot, such as .sig. A tag that is named after its own digest is an
// ordinary tag: it is attached to nothing.
func AttachmentSubject(name, digest string) Subject {
	if !strings.HasPrefix(name, "sha") {
		return ""
	}
	m := attachmentName.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	subject := Subject("sha256:" + m[1])
	if m[2] != "" {
		subject = Subject("sha512:" + m[2])
	}
	if subject.Is(digest) {
		return ""
	}
	return subject
}

// Subjects are what the tags of an image are attached to, "" for ordinary tags: by their
// names, or by their content, where that was read and another tag, or an index that another
// tag has, has its subject.
func (i *Image) Subjects() []Subject {
	out := make([]Subject, len(i.Tags))
	var holders map[string][]string // digests of tags by themselves and by their parts; nil until needed
	for k := range i.Tags {
		t := &i.Tags[k]
		if out[k] = AttachmentSubject(t.Name, t.Digest); out[k] != "" || len(i.Contents) == 0 {
			continue
		}
		content := i.Contents[t.KnownDigest()]
		if content == nil || content.Subject == "" {
			continue
		}
		if holders == nil {
			holders = i.holders()
		}
		if slices.ContainsFunc(holders[content.Subject], func(holder string) bool { return holder != t.Digest }) {
			out[k] = Subject(content.Subject)
		}
	}
	return out
}

// Is reports whether a digest is the subject.
func (s Subject) Is(digest string) bool {
	return s != "" && (string(s) == digest || s.MayBeShort() && strings.HasPrefix(digest, string(s)))
}

// MayBeShort reports whether the subject may be only the beginning of a digest, so
// that several digests may be the subject.
func (s Subject) MayBeShort() bool { return strings.HasPrefix(string(s), "sha512:") }

// Digests are the known digests of some tags.
type Digests struct{ sorted []string } // each once

// DigestsOf lists the digests of tags.
func DigestsOf(tags []Tag) *Digests {
	all := make([]string, 0, len(tags))
	for i := range tags {
		if digest := tags[i].KnownDigest(); digest != "" {
			all = append(all, digest)
		}
	}
	slices.Sort(all)
	return &Digests{slices.Compact(all)}
}

// Named are the digests that may be the subject: one or none, unless it is shortened.
func (d *Digests) Named(s Subject) []string {
	from, _ := slices.BinarySearch(d.sorted, string(s))
	to := from
	for to < len(d.sorted) && s.Is(d.sorted[to]) {
		to++
	}
	return d.sorted[from:to]
}
