package emulator

import (
	"strconv"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

func imagesOf(r *region) map[wire.UUID]*image { return r.byImage }

func (s *Server) listImages(r *region, c *call) *wire.Answer {
	p := s.pages.Query(c.http, "created_at", "name")
	from := &r.images
	if id, ok := p.UUID("namespace_id"); ok {
		from = new(listing.List[*image])
		if n := r.byNamespace[id]; n != nil {
			from = &shown(c, n).images
		}
	}
	checks := owned(p, func(i *image) *namespace { return i.namespace })
	if p.Bad != nil {
		return p.Bad
	}
	return listing.Page(p, c.fault, "images", listing.Filter(listing.Rows(p, from), checks))
}

func (s *Server) patchImage(r *region, c *call) *wire.Answer {
	var asked struct {
		Visibility string `json:"visibility"`
	}
	if refusal := s.readJSON(c, &asked); refusal != nil {
		return refusal
	}
	switch asked.Visibility {
	case "", visibilityUnknown, visibilityInherit, visibilityPublic, visibilityPrivate:
	default:
		return s.api.InvalidArgument("visibility", wire.ReasonConstraint, "it is not one of the possible values")
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
	i.updated = wire.Microseconds(c.at)
	return show(s.api.WriterAt(c.at), shown(c, i))
}

func (s *Server) deleteImage(c *call, i *image) *wire.Answer {
	i.leaving = true
	s.begin(c, func() {
		i.resize(func() {
			i.status = statusDeleting
			i.deleted = true
		})
		i.updated = wire.Microseconds(c.at)
	}, func() { s.dropImage(i) })
	return nil
}

func tagsOf(r *region) map[wire.UUID]*tag { return r.byTag }

func (s *Server) listTags(r *region, c *call) *wire.Answer {
	i, refusal := find(s, c, "Image", r.byImage)
	if refusal != nil {
		return refusal
	}
	p := s.pages.Query(c.http, "created_at", "name")
	if p.Bad != nil {
		return p.Bad
	}
	return listing.Page(p, c.fault, "tags", listing.Filter(listing.Rows(p, &shown(c, i).tags), listing.Named[*tag](p)))
}

// deleteTag deletes a tag. What happens to the other tags with its digest is not
// known of the real API, so the settings decide: reject refuses with 412, and
// deletes all of them with force; untag deletes this one only; cascade deletes all
// of them.
func (s *Server) deleteTag(c *call, t *tag) *wire.Answer {
	others := t.sharers()
	force, _ := strconv.ParseBool(c.http.URL.Query().Get("force")) // removeTag has checked it
	switch {
	case len(others) == 0 || s.settings.SharedDigest == "untag":
	case s.settings.SharedDigest == "cascade" || force:
		for _, o := range others {
			s.untag(c, o)
		}
	default:
		return s.api.DigestIsShared()
	}
	s.untag(c, t)
	return nil
}

// removeTag is remove for tags, which takes one more parameter.
func (s *Server) removeTag(r *region, c *call) *wire.Answer {
	if text := c.http.URL.Query().Get("force"); text != "" {
		if _, err := strconv.ParseBool(text); err != nil {
			return s.api.InvalidArgument("force", wire.ReasonFormat, "it must be true or false")
		}
	}
	return remove("Tag", tagsOf, (*Server).deleteTag)(s, r, c)
}

// untag begins the deletion of one tag: its size is gone at once, its row stays
// until the deletion completes.
func (s *Server) untag(c *call, t *tag) {
	t.leaving = true
	s.begin(c, func() {
		t.shrink()
		t.updated = wire.Microseconds(c.at)
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
