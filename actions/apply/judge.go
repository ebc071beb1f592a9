package apply

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// notPlanned is the result of a step that the policies in force do not plan: what
// holds it now, which rule keeps it now, or that no rule marks it.
func notPlanned(j *Judgement, s *actions.Step) (actions.Result, string) {
	for i := range j.Held {
		h := &j.Held[i]
		if h.Ref != s.Ref || h.Action != s.Action {
			continue
		}
		detail := "on hold now by the guard " + string(h.Guard) + ": " + h.Detail
		switch h.Guard {
		case actions.GuardSharedDigest, actions.GuardAttachment, actions.GuardPartOf:
			return actions.ResultBlocked, detail
		case actions.GuardPolicyError, actions.GuardGap:
			return actions.ResultFailed, detail
		}
		return actions.ResultChanged, detail
	}
	if j.Verdict.Err != nil {
		return actions.ResultFailed, "a policy failed: " + j.Verdict.Err.Error()
	}
	if keep := keepReasons(j, s); len(keep) > 0 {
		return actions.ResultChanged, "kept now by " + keep[0].Rule + ": " + keep[0].Text
	}
	if registry.AttachmentSubject(s.Tag, s.Digest) != "" {
		return actions.ResultBlocked, "its subject is kept now, and no policy in force marks it by itself"
	}
	if !s.Action.Deletes() {
		return actions.ResultChanged, "the policies in force do not ask for it to be " + string(s.To)
	}
	return actions.ResultChanged, "the policies in force do not mark it for deletion"
}

// keepReasons are the reasons for which the object of a step is kept.
func keepReasons(j *Judgement, s *actions.Step) []registry.Reason {
	v := &j.Verdict
	if s.Tag == "" || v.Image == nil {
		return v.Keep
	}
	for i := range v.Image.Tags {
		if v.Image.Tags[i].Name == s.Tag && i < len(v.Tags) {
			return v.Tags[i].Keep
		}
	}
	return nil
}

// remember keeps what the policies made of an image before this run changed
// anything in it.
func (r *run) remember(ref string, j Judgement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.others[ref] {
		r.first[ref] = j
	}
}

func (r *run) recall(ref string) (Judgement, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.first[ref]
	return j, ok
}

// evidence is how many deletions were seen to leave other tags of their digest
// alone, and how many were confirmed.
func (r *run) evidence() (untagged, confirmed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.untagged, r.confirmed
}

func (r *run) prove(confirmed, untagged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed += confirmed
	r.untagged += untagged
}
