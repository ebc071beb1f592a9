package facts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// tag is a tag with the facts that matching needs.
type tag struct {
	*registry.Tag
	index   int            // in Image.Tags
	version *rules.Version // of the whole name; see retentionRule.version
	subject registry.Subject
	content *registry.Content // nil if it is not known
	age     *ast.Term         // since the update, in seconds; nil until it is needed
	// restored is the restoration of a tag whose stay has not ended.
	restored   registry.Restoration
	isRestored bool
}

// counts reports whether the tag can be one of those that a rule counts. One that
// is not ready, an attachment and a restored tag are never counted.
func (t *tag) counts() bool {
	return t.Status == registry.StatusReady && t.subject == "" && !t.isRestored
}

// age in whole seconds, by the time that the rule follows.
func (r *retentionRule) age(now time.Time, t *tag) int { return wholeSeconds(now, r.time(t)) }

func (r *retentionRule) time(t *tag) time.Time {
	switch r.By {
	case "created_at":
		return t.CreatedAt
	case byBuild:
		return t.built()
	}
	return t.Changed()
}

const byBuild = "built_at"

// byChange reports whether the rule follows the time that the tags are sorted by.
func (r *retentionRule) byChange() bool { return r.By != "created_at" && r.By != byBuild }

// version is what the rule takes for the version of a tag; nil if it has none.
func (r *retentionRule) version(t *tag) *rules.Version {
	if r.versions == nil {
		return t.version
	}
	return r.versions.Find(t.Name)
}

// matched returns the tags that the rule is about, newest first by the time that
// the rule follows, ties by name. It is nil if the rule is not about the image, and
// empty if it is about none of its tags. The undecided tags are those that the rule may
// be about: that depends on a content that is not known.
func (r *retentionRule) matched(now time.Time, img *registry.Image, tags []tag) (matched, undecided []*tag) {
	selector, ok := r.selector.Tags(img)
	if !ok {
		return nil, nil
	}
	if r.byContent {
		matched, undecided = r.answered(selector, now, tags)
	} else {
		matched = r.named(selector, now, tags)
	}
	if !r.byChange() {
		slices.SortStableFunc(matched, func(a, b *tag) int {
			return cmp.Or(r.time(b).Compare(r.time(a)), strings.Compare(a.Name, b.Name))
		})
	}
	return matched, undecided
}

// named are the tags that a rule is about which needs no content.
func (r *retentionRule) named(selector rules.TagSelector, now time.Time, tags []tag) []*tag {
	out := []*tag{}
	for i := range tags {
		t := &tags[i]
		v := r.version(t)
		if (v != nil || !r.Keep.IsSemverOnly()) && selector.Matches(t.Name, v, r.age(now, t)) {
			out = append(out, t)
		}
	}
	return out
}

func (r *subjectRule) matchesNamespace(now time.Time, ns *registry.Namespace) bool {
	return r.subject == "namespace" && r.selector.MatchesNamespace(ns, wholeSeconds(now, ns.Changed()))
}

func (r *subjectRule) matchesImage(now time.Time, img *registry.Image) bool {
	return r.subject == "image" && r.selector.MatchesImage(img, wholeSeconds(now, img.Changed()))
}

// matchedTags returns the tags of an image that the rule is about. Attachments are
// not among them: tools name them.
func (r *subjectRule) matchedTags(now time.Time, img *registry.Image, tags []tag) []*tag {
	return r.answeredTags(rules.Yes, now, img, tags)
}

// answeredTags returns the tags for which the answer is the one that is wanted.
func (r *subjectRule) answeredTags(want rules.Answer, now time.Time, img *registry.Image, tags []tag) []*tag {
	if r.subject != "tag" {
		return nil
	}
	selector, ok := r.selector.Tags(img)
	if !ok {
		return nil
	}
	var out []*tag
	for i := range tags {
		t := &tags[i]
		if registry.AttachmentSubject(t.Name, t.Digest) != "" {
			continue
		}
		if age := wholeSeconds(now, t.Changed()); r.byContent {
			if selector.Answer(t.Name, t.version, age, t.content) != want {
				continue
			}
		} else if !selector.Matches(t.Name, t.version, age) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// satisfiedBy reports whether the image has the visibility that the rule requires.
// A rule that requires "inherit" is about the image alone; the others are about
// what a client sees.
func (r *subjectRule) satisfiedBy(img *registry.Image) bool {
	if r.require == registry.Inherit {
		return img.Visibility == registry.Inherit
	}
	return img.EffectiveVisibility() == r.require
}
