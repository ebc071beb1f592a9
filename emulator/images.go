package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

func (s *Server) listImages(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.params(c, "created_at", "name")
	from := &r.images
	if id, ok := p.uuid("namespace_id"); ok {
		from = new(listing[*image])
		if n := r.byNamespace[id]; n != nil {
			from = &n.images
		}
	}
	var checks []func(*image) bool
	if name := p.query.Get("name"); name != "" {
		checks = append(checks, func(i *image) bool { return i.name == name })
	}
	if id, ok := p.uuid("organization_id"); ok {
		checks = append(checks, func(i *image) bool { return i.namespace.organizationID == id })
	}
	if id, ok := p.uuid("project_id"); ok {
		checks = append(checks, func(i *image) bool { return i.namespace.projectID == id })
	}
	if p.bad != nil {
		return *p.bad
	}
	return page(s, c, p, "images", filter(rows(p, from), checks), func(w *writer) func(*image) { return w.image })
}

func (s *Server) getImage(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, refusal := s.image(r, c)
	if i == nil {
		return refusal
	}
	return s.show(s.writer(), func(w *writer) { w.image(i) })
}

func (s *Server) patchImage(r *region, c *call) answer {
	var asked struct {
		Visibility string `json:"visibility"`
	}
	if refusal := s.readJSON(c, &asked); refusal != nil {
		return *refusal
	}
	switch asked.Visibility {
	case "", visibilityUnknown, visibilityInherit, visibilityPublic, visibilityPrivate:
	default:
		return s.invalidArgument("visibility", reasonConstraint, "it is not one of the possible values")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refusal := s.image(r, c)
	switch {
	case i == nil:
		return refusal
	case i.state() == statusDeleting:
		return s.isDeleting("image", i.id)
	case i.status == statusLocked:
		return s.isLocked("image", i.id)
	}
	if asked.Visibility != "" && asked.Visibility != visibilityUnknown {
		i.visibility = asked.Visibility
	}
	now := s.now()
	i.updated = microseconds(now)
	return s.show(s.mutationWriter(now), func(w *writer) { w.image(i) })
}

func (s *Server) removeImage(r *region, c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refusal := s.image(r, c)
	if i == nil {
		return refusal
	}
	now := s.now()
	if refusal := s.mayDelete("Image", i.state(), i.id); refusal != nil {
		return *refusal
	}
	if i.state() != statusDeleting {
		s.deleteImage(i, now)
	}
	return s.show(s.mutationWriter(now), func(w *writer) { w.image(i) })
}

// image finds the one that the call names; without it there is a refusal.
func (s *Server) image(r *region, c *call) (*image, answer) {
	id, ok := parseUUID(c.route.id)
	if !ok {
		return nil, s.invalidArgument("image_id", reasonFormat, "it must be a UUID")
	}
	if i := r.byImage[id]; i != nil {
		return i, answer{}
	}
	return nil, s.notFound("Image")
}

// show answers with one object.
func (s *Server) show(w *writer, write func(*writer)) answer {
	write(w)
	return jsonAnswer(http.StatusOK, w.buf)
}

// readJSON reads the body of a request; an empty one asks for nothing.
func (s *Server) readJSON(c *call, into any) *answer {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		refusal := s.invalidArgument("body", reasonFormat, "it is not the JSON that was expected")
		return &refusal
	}
	return nil
}

// mayDelete refuses to delete what is locked, and what is being deleted when the
// settings say so.
func (s *Server) mayDelete(what, status string, id uuid) *answer {
	var refusal answer
	switch {
	case status == statusLocked:
		refusal = s.isLocked(strings.ToLower(what), id)
	case status == statusDeleting && s.settings.DeleteAgain == againNotFound:
		refusal = s.notFound(what)
	case status == statusDeleting && s.settings.DeleteAgain == againConflict:
		refusal = s.isDeleting(strings.ToLower(what), id)
	default:
		return nil
	}
	return &refusal
}
