package emulator

func imagesOf(r *region) map[uuid]*image { return r.byImage }

func (s *Server) listImages(r *region, c *call) *answer {
	p := s.params(c, "created_at", "name")
	from := &r.images
	if id, ok := p.uuid("namespace_id"); ok {
		from = new(listing[*image])
		if n := r.byNamespace[id]; n != nil {
			from = &shown(c, n).images
		}
	}
	checks := owned(p, func(i *image) *namespace { return i.namespace })
	if p.bad != nil {
		return p.bad
	}
	return page(s, c, p, "images", filter(rows(p, from), checks))
}

func (s *Server) patchImage(r *region, c *call) *answer {
	var asked struct {
		Visibility string `json:"visibility"`
	}
	if refusal := s.readJSON(c, &asked); refusal != nil {
		return refusal
	}
	switch asked.Visibility {
	case "", visibilityUnknown, visibilityInherit, visibilityPublic, visibilityPrivate:
	default:
		return s.invalidArgument("visibility", reasonConstraint, "it is not one of the possible values")
	}
	i, refusal := find(s, c, "Image", r.byImage)
	if refusal == nil {
		refusal = s.mayChange("Image", i)
	}
	if refusal != nil {
		return refusal
	}
	if asked.Visibility != "" && asked.Visibility != visibilityUnknown {
		i.visibility = asked.Visibility
	}
	i.updated = microseconds(c.at)
	return show(s.mutationWriter(c.at), shown(c, i))
}

func (s *Server) deleteImage(c *call, i *image) *answer {
	i.leaving = true
	s.begin(c, func() {
		i.resize(func() {
			i.status = statusDeleting
			i.deleted = true
		})
		i.updated = microseconds(c.at)
	}, func() { s.dropImage(i) })
	return nil
}
