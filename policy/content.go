package policy

import (
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/registry"
)

// NeedsContent lists the digests of an image that are absent from its Contents and whose
// content can change what the policies decide; nil if there are none. The verdict is
// that of the same judge without them. With more contents more tags may be marked, so
// judge again and ask again until nothing more is listed.
//
// A verdict of an image with such digests is safe: what is not known is not marked, or
// it is kept. Own policies that read contents fail until all of them are known, or in
// Unread.
func (j *Judge) NeedsContent(img *registry.Image, v *registry.Verdict) []string {
	switch {
	case j.engine.image.content:
		return unknown(img)
	case j.engine.rules.ByContent():
		return j.facts.Needs(img, v)
	}
	return nil
}

// ReadsContent reports whether any policy depends on contents.
func (e *Engine) ReadsContent() bool { return e.image.content || e.rules.ByContent() }

// unknown are the digests of ready tags whose content is not known, each once.
func unknown(img *registry.Image) []string {
	var digests []string
	seen := map[string]bool{}
	for i := range img.Tags {
		t := &img.Tags[i]
		if t.Status == registry.StatusReady && t.KnownDigest() != "" && img.Contents[t.Digest] == nil && !seen[t.Digest] {
			seen[t.Digest] = true
			digests = append(digests, t.Digest)
		}
	}
	return digests
}

// unknownContent is the error of own policies that read contents which are not known: a
// keep that is undefined for that reason protects nothing.
func (j *Judge) unknownContent(img *registry.Image) error {
	if !j.engine.image.content {
		return nil
	}
	missing := slices.DeleteFunc(unknown(img), func(digest string) bool { return img.Unread[digest] != "" }) // a gap says why
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("the policies read tag.content, but the content of %s is not known", text.Count(len(missing), "digest"))
}

// dropNeedless drops the keeps of what is not known where a tag is kept for another
// reason.
func dropNeedless(v *registry.Verdict) {
	isNeedless := func(r registry.Reason) bool { return r.Text == facts.UnknownLabels }
	for i := range v.Tags {
		if keep := v.Tags[i].Keep; slices.ContainsFunc(keep, func(r registry.Reason) bool { return !isNeedless(r) }) {
			v.Tags[i].Keep = slices.DeleteFunc(keep, isNeedless)
		}
	}
}
