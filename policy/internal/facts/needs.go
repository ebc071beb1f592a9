package facts

import (
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// ByContent reports whether any rule of the configuration depends on contents.
func (s *Rules) ByContent() bool { return s.byContent || len(s.Protect.Labels) > 0 }

// Needs lists the digests whose content is not known and can change what the rules of
// the configuration decide. The verdict is what they decide without it.
func (s *Scan) Needs(img *registry.Image, v *registry.Verdict) []string {
	n := needs{img: img, explain: s.Explain}
	if s.Rules.byContent {
		f := s.Image(img, nil)
		for i := range s.Rules.retention {
			n.retention(&s.Rules.retention[i], f.matchedBy(i), v, s.Now)
		}
		for i := range s.Rules.naming {
			n.naming(&s.Rules.naming[i], f)
		}
		for _, x := range s.Rules.exceptions {
			n.waiver(x, f, v)
		}
	}
	if len(s.Rules.Protect.Labels) > 0 {
		for i := range v.Tags {
			// An attachment that no rule marks may be kept by its unknown labels alone.
			if len(v.Tags[i].Delete)+len(v.Tags[i].Keep) > 0 && len(v.Tags[i].InUse) == 0 && !keptOtherwise(v.Tags[i].Keep) {
				n.add(&img.Tags[i])
			}
		}
	}
	return n.digests
}

// keptOtherwise reports whether a tag is kept by more than its labels.
func keptOtherwise(keep []registry.Reason) bool {
	for i := range keep {
		if keep[i].Rule != "protect/labels" {
			return true
		}
	}
	return false
}

// needs collects digests, each once.
type needs struct {
	img     *registry.Image
	explain bool // also where nothing is marked
	digests []string
	seen    map[string]bool
}

// add adds the digest of a ready tag: others are never deleted, and take no place.
func (n *needs) add(t *registry.Tag) {
	if t.Status != registry.StatusReady || t.KnownDigest() == "" || n.img.Contents[t.Digest] != nil || n.seen[t.Digest] {
		return
	}
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	n.seen[t.Digest] = true
	n.digests = append(n.digests, t.Digest)
}

// retention adds what a rule needs: to mark tags, those that are old enough; to keep some
// of them, all that it may be about, if anything there is or may be marked.
func (n *needs) retention(r *retentionRule, m matches, v *registry.Verdict, now time.Time) {
	if r.expires() {
		for _, t := range m.decided {
			if n.isOld(r, t, now) {
				n.add(t.Tag)
			}
		}
	}
	isOld := func(t *tag) bool { return r.Delete != nil && n.isOld(r, t, now) }
	all := r.Keep != nil && (n.explain || m.any(func(t *tag) bool { return isOld(t) || isMarked(v, t) }))
	for _, t := range m.undecided {
		if all || isOld(t) {
			n.add(t.Tag)
		}
	}
}

// isOld reports whether a tag is or may be as old as the rule wants it.
func (n *needs) isOld(r *retentionRule, t *tag, now time.Time) bool {
	unknown := r.By == byBuild && t.content == nil
	return n.explain || unknown || float64(r.age(now, t)) >= r.Delete.OlderThan.Seconds()
}

func isMarked(v *registry.Verdict, t *tag) bool {
	return t.index < len(v.Tags) && len(v.Tags[t.index].Delete) > 0
}

func (m matches) any(is func(*tag) bool) bool {
	return slices.ContainsFunc(m.decided, is) || slices.ContainsFunc(m.undecided, is)
}

// naming adds the tags with a wrong name that the rule may be about.
func (n *needs) naming(r *subjectRule, f *Image) {
	if !r.byContent {
		return
	}
	for _, t := range r.answeredTags(rules.Unknown, f.scan.Now, f.img, f.tags) {
		if !r.pattern.MatchString(t.Name) {
			n.add(t.Tag)
		}
	}
}

// waiver adds the tags that the waiver may be about, of those that are marked or have a
// violation.
func (n *needs) waiver(x *rules.Exception, f *Image, v *registry.Verdict) {
	selector, ok := x.Tags(f.img)
	if !ok || !x.NeedsContent() || !x.Holds(f.scan.Now) {
		return
	}
	violated := map[string]bool{}
	for i := range v.Violations {
		violated[v.Violations[i].Ref] = true
	}
	for i := range f.tags {
		t := &f.tags[i]
		if isMarked(v, t) || violated[f.img.TagRef(t.Name).String()] {
			if selector.Answer(t.Name, t.version, wholeSeconds(f.scan.Now, t.Changed()), t.content) == rules.Unknown {
				n.add(t.Tag)
			}
		}
	}
}
