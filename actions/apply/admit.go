package apply

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply/internal/copies"
	"github.com/registry-janitor/registry-janitor/registry"
)

// admit chooses which candidates are sent on this reading.
func (s *situation) admit(d *decision, candidates []*step, busy map[string]bool) {
	pending := make(map[string]bool, len(s.steps)) // IDs of tags that are to go
	for _, st := range s.steps {
		pending[st.ID] = true
	}
	for _, x := range d.finished {
		delete(pending, x.step.ID)
	}
	candidates = s.unblocked(d, candidates, pending, busy)
	uncopied := s.copyFirst(d, candidates)
	var waits []*step
	for _, st := range candidates {
		first, _ := s.first(st, pending)
		sibling := s.other(st, st.Digest, pending)
		switch {
		case first != "":
			busy[st.Digest] = busy[st.Digest] || st.sent()
			waits = append(waits, st)
		case uncopied[st.Digest], busy[st.Digest] && !s.proven, s.alone && d.proving+len(d.send) > 0, sibling != "" && !s.proven && len(d.send) > 0, d.leaves:
			busy[st.Digest] = busy[st.Digest] || st.sent()
			d.held++
		default:
			d.leaves = sibling != "" && !s.proven
			busy[st.Digest] = true
			d.send = append(d.send, st)
		}
	}
	if len(d.send)+d.waiting+d.held+len(d.check) > 0 {
		d.held += len(waits)
		return
	}
	for _, st := range waits { // attachments of each other: none of them can be the first
		if st.sent() {
			s.wait(d, st, busy)
			continue
		}
		first, _ := s.first(st, pending)
		d.finish(st, actions.ResultBlocked, first)
	}
}

// copyFirst lists the candidates that are to be copied, and returns the digests of
// which a tag is not copied yet: if it cannot be copied, it is kept, and so are the others.
func (s *situation) copyFirst(d *decision, candidates []*step) (uncopied map[string]bool) {
	uncopied = make(map[string]bool)
	for _, st := range candidates {
		state := s.copies.Of(st.Step).State
		if state == copies.None {
			d.copy = append(d.copy, st.Step)
		}
		if state != copies.Made {
			uncopied[st.Digest] = true
		}
	}
	return uncopied
}

// unblocked gives the candidates that a tag which is to stay blocks their result, and
// returns the others. A blocked tag is kept, and so blocks others.
func (s *situation) unblocked(d *decision, candidates []*step, pending map[string]bool, busy map[string]bool) []*step {
	for before := -1; before != len(candidates); {
		before = len(candidates)
		candidates = slices.DeleteFunc(candidates, func(st *step) bool {
			detail := s.blockedBy(st, pending)
			switch {
			case detail == "":
				return false
			case st.sent(): // it is not sent again, and may still happen
				s.wait(d, st, busy)
			default:
				d.finish(st, actions.ResultBlocked, detail)
				delete(pending, st.ID)
			}
			return true
		})
	}
	return candidates
}

// blockedBy names the tag that is to stay and blocks the deletion of a step.
func (s *situation) blockedBy(st *step, pending map[string]bool) string {
	if first, free := s.first(st, pending); !free {
		return first
	}
	if sibling := s.other(st, st.Digest, pending); sibling != "" && !s.untag {
		return sibling + ", which is still there, has the same digest"
	}
	return ""
}

// first names what must be deleted before the tag of a step and is still there: tags to which its
// name says that it is attached, and tags of the digests that must be deleted before its own,
// without those that the plan and the policies in force keep: the guards know of them. Free
// reports whether all of those are to be deleted.
func (s *situation) first(st *step, pending map[string]bool) (what string, free bool) {
	for _, tag := range s.reading.named(registry.AttachmentSubject(st.Tag, st.Digest)) {
		what = cmp.Or(what, "its subject "+tag.Name+" is still there")
		if !pending[tag.ID] {
			return "its subject " + tag.Name + " is still there", false
		}
	}
	for _, digest := range s.before[st.Digest] {
		for _, other := range s.byDigest[digest] {
			_, listed, hidden := s.reading.find(other.ID)
			switch detail := "it belongs or may belong to " + other.Tag + ", which is still there"; {
			case pending[other.ID]:
				what = cmp.Or(what, detail)
			case listed, hidden, other.left:
				return detail, false
			}
		}
		for _, tag := range s.reading.byDigest[digest] {
			if !pending[tag.ID] && (!s.kept.Has(tag.Name) || s.marked(tag.ID)) {
				return "it belongs or may belong to " + tag.Name + ", which the plan does not delete", false
			}
		}
	}
	return what, true
}

// other names a tag of a digest that is not to be deleted, "" if there is none. It may be one
// that the listing does not show.
func (s *situation) other(st *step, digest string, pending map[string]bool) string {
	for _, tag := range s.reading.byDigest[digest] {
		if tag.ID != st.ID && !pending[tag.ID] {
			return tag.Name
		}
	}
	for _, other := range s.byDigest[digest] {
		tag, listed, hidden := s.reading.find(other.ID)
		isThere := hidden && tag.Digest == digest || other.unlisted && !listed && !s.reading.absent[other.ID]
		if isThere && other != st && !pending[other.ID] {
			return other.Tag
		}
	}
	return ""
}
