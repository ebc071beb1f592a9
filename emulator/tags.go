package emulator

import "strconv"

func tagsOf(r *region) map[uuid]*tag { return r.byTag }

func (s *Server) listTags(r *region, c *call) *answer {
	i, refusal := find(s, c, "Image", r.byImage)
	if refusal != nil {
		return refusal
	}
	p := s.params(c, "created_at", "name")
	if p.bad != nil {
		return p.bad
	}
	return page(s, c, p, "tags", filter(rows(p, &shown(c, i).tags), named[*tag](p)))
}

// deleteTag deletes a tag. What becomes of the other tags with its digest is not
// known of the real API, so the settings decide: reject refuses with 412, and
// deletes all of them with force; untag deletes this one only; cascade deletes all
// of them.
func (s *Server) deleteTag(c *call, t *tag) *answer {
	others := t.sharers()
	switch {
	case len(others) == 0 || s.settings.SharedDigest == "untag":
	case s.settings.SharedDigest == "cascade" || forced(c):
		for _, o := range others {
			s.untag(c, o)
		}
	default:
		return s.digestIsShared()
	}
	s.untag(c, t)
	return nil
}

// removeTag is remove for tags, which takes one more parameter.
func (s *Server) removeTag(r *region, c *call) *answer {
	if text := c.http.URL.Query().Get("force"); text != "" {
		if _, err := strconv.ParseBool(text); err != nil {
			return s.invalidArgument("force", reasonFormat, "it must be true or false")
		}
	}
	return remove("Tag", tagsOf, (*Server).deleteTag)(s, r, c)
}

func forced(c *call) bool {
	force, err := strconv.ParseBool(c.http.URL.Query().Get("force"))
	return err == nil && force
}

// untag begins the deletion of one tag: its size is gone at once, its row stays
// until the deletion completes.
func (s *Server) untag(c *call, t *tag) {
	t.leaving = true
	s.begin(c, func() {
		t.shrink()
		t.updated = microseconds(c.at)
	}, func() { s.dropTag(t) })
}

// shrink takes a tag out of the size of its image.
func (t *tag) shrink() {
	t.image.resize(func() {
		if t.status != statusDeleting && len(t.sharers()) == 0 {
			t.image.live -= t.size
		}
		t.status = statusDeleting
	})
}
