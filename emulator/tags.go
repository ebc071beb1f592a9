package emulator

import "strconv"

func (s *Server) listTags(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, refusal := s.image(r, c)
	if i == nil {
		return refusal
	}
	p := s.params(c, "created_at", "name")
	if p.bad != nil {
		return *p.bad
	}
	var checks []func(*tag) bool
	if name := p.query.Get("name"); name != "" {
		checks = append(checks, func(t *tag) bool { return t.name == name })
	}
	return page(s, c, p, "tags", filter(rows(p, &i.tags), checks), func(w *writer) func(*tag) { return w.tag })
}

func (s *Server) getTag(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, refusal := s.tag(r, c)
	if t == nil {
		return refusal
	}
	return s.show(s.writer(), func(w *writer) { w.tag(t) })
}

// removeTag deletes a tag. What becomes of the other tags with its digest is not
// known of the real API, so the settings decide: reject refuses with 412, unless
// forced, and then all of them go; untag removes this one only; cascade removes
// all of them.
func (s *Server) removeTag(r *region, c *call) answer {
	force := false
	if text := c.http.URL.Query().Get("force"); text != "" {
		var err error
		if force, err = strconv.ParseBool(text); err != nil {
			return s.invalidArgument("force", reasonFormat, "it must be true or false")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, refusal := s.tag(r, c)
	if t == nil {
		return refusal
	}
	now := s.now()
	if refusal := s.mayDelete("Tag", t.state(), t.id); refusal != nil {
		return *refusal
	}
	if t.state() != statusDeleting {
		others := t.sharers()
		switch {
		case len(others) == 0 || s.settings.SharedDigest == sharedUntag:
		case s.settings.SharedDigest == sharedCascade || force:
			for _, o := range others {
				s.deleteTag(o, now)
			}
		default:
			return s.digestIsShared()
		}
		s.deleteTag(t, now)
	}
	return s.show(s.mutationWriter(now), func(w *writer) { w.tag(t) })
}

// tag finds the one that the call names; without it there is a refusal.
func (s *Server) tag(r *region, c *call) (*tag, answer) {
	id, ok := parseUUID(c.route.id)
	if !ok {
		return nil, s.invalidArgument("tag_id", reasonFormat, "it must be a UUID")
	}
	if t := r.byTag[id]; t != nil {
		return t, answer{}
	}
	return nil, s.notFound("Tag")
}
