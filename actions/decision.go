package actions

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Decision is what the policies in force decide about one image with its tags, or of one
// namespace, while a plan is applied.
type Decision struct {
	Steps   []Step
	Held    []Held
	Verdict registry.Verdict
}

// Plans reports whether the policies in force plan a step.
func (d *Decision) Plans(s *Step) bool {
	return slices.ContainsFunc(d.Steps, func(p Step) bool {
		return p.Action == s.Action && p.Ref == s.Ref && p.To == s.To
	})
}

// NotPlanned is the result of a step that the policies in force do not plan, and its
// detail: what holds it now, which rule keeps it now, or that no rule marks it.
func (d *Decision) NotPlanned(s *Step) (Result, string) {
	for i := range d.Held {
		h := &d.Held[i]
		if h.Ref != s.Ref || h.Action != s.Action {
			continue
		}
		detail := "on hold now by the guard " + string(h.Guard) + ": " + h.Detail
		switch h.Guard {
		case GuardSharedDigest, GuardAttachment, GuardPartOf:
			return ResultBlocked, detail
		case GuardPolicyError, GuardGap:
			return ResultFailed, detail
		}
		return ResultChanged, detail
	}
	if d.Verdict.Err != nil {
		return ResultFailed, "a policy failed: " + d.Verdict.Err.Error()
	}
	if keep := d.keepReasons(s); len(keep) > 0 {
		return ResultChanged, "kept now by " + keep[0].Rule + ": " + keep[0].Text
	}
	if d.isAttached(s) {
		return ResultBlocked, "its subject is kept now, and no policy in force marks it by itself"
	}
	if !s.Action.Deletes() {
		return ResultChanged, "the policies in force do not ask for it to be " + string(s.To)
	}
	return ResultChanged, "the policies in force do not mark it for deletion"
}

// First is what must be deleted before what; see registry.Image.First.
func (d *Decision) First() map[string][]string {
	if d.Verdict.Image == nil {
		return nil
	}
	return d.Verdict.Image.First()
}

// keepReasons are the reasons for which the object of a step is kept.
func (d *Decision) keepReasons(s *Step) []registry.Reason {
	v := &d.Verdict
	if s.Tag == "" || v.Image == nil {
		return v.Keep
	}
	if i := v.Image.Find(s.Tag); i >= 0 && i < len(v.Tags) {
		return v.Tags[i].Keep
	}
	return nil
}

// isAttached reports whether the tag of a step is attached to another.
func (d *Decision) isAttached(s *Step) bool {
	if registry.AttachmentSubject(s.Tag, s.Digest) != "" {
		return true
	}
	img := d.Verdict.Image
	if img == nil || len(img.Contents) == 0 {
		return false
	}
	i := img.Find(s.Tag)
	return i >= 0 && img.Subjects()[i] != ""
}
