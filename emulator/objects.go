package emulator

import (
	"encoding/json"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

// object is what a path can name: a namespace, an image or a tag.
type object interface {
	key() wire.UUID
	state() string // the status as the API shows it
	Write(*wire.Writer)
}

// swappable is an object with another one of its kind, whose row a fault shows.
type swappable[T any] interface {
	object
	other() T // itself if there is none
}

// shown is the object whose row answers a call about x.
func shown[T swappable[T]](c *call, x T) T {
	if c.fault != nil && c.fault.Effect() == "swap_ids" {
		return x.other()
	}
	return x
}

// get is the operation that shows one of the objects of a region.
func get[T swappable[T]](what string, all func(*region) map[wire.UUID]T) operation {
	return func(s *Server, r *region, c *call) *wire.Answer {
		x, refusal := find(s, c, what, all(r))
		if refusal != nil {
			return refusal
		}
		return show(s.api.Writer(), shown(c, x))
	}
}

// remove is the operation that deletes one of the objects of a region. begin
// starts the deletion, or refuses it.
func remove[T swappable[T]](what string, all func(*region) map[wire.UUID]T, begin func(*Server, *call, T) *wire.Answer) operation {
	return func(s *Server, r *region, c *call) *wire.Answer {
		x, refusal := find(s, c, what, all(r))
		if refusal == nil {
			refusal = s.mayDelete(what, x)
		}
		if refusal == nil && x.state() != statusDeleting {
			refusal = begin(s, c, x)
		}
		if refusal != nil {
			return refusal
		}
		w := s.api.WriterAt(c.at)
		w.Leaving = c.slow() > 0
		return show(w, shown(c, x))
	}
}

// find is the object that the call names, or the refusal if there is none.
func find[T object](s *Server, c *call, what string, all map[wire.UUID]T) (found T, refusal *wire.Answer) {
	id, ok := wire.ParseUUID(c.route.id)
	if !ok {
		return found, s.api.InvalidArgument(strings.ToLower(what)+"_id", wire.ReasonFormat, "it must be a UUID")
	}
	if found, ok = all[id]; !ok {
		return found, s.api.NotFound(what)
	}
	return found, nil
}

// show answers with one object.
func show(w *wire.Writer, x object) *wire.Answer {
	x.Write(w)
	return w.OK()
}

// mayChange refuses to change what is locked or being deleted.
func (s *Server) mayChange(what string, x object) *wire.Answer {
	switch x.state() {
	case statusDeleting:
		return s.api.IsDeleting(what, x.key())
	case statusLocked:
		return s.api.IsLocked(what, x.key())
	}
	return nil
}

// mayDelete refuses to delete what is locked, and what is being deleted if the
// settings refuse it.
func (s *Server) mayDelete(what string, x object) *wire.Answer {
	switch status := x.state(); {
	case status == statusLocked:
		return s.api.IsLocked(what, x.key())
	case status == statusDeleting && s.settings.DeleteAgain == "not_found":
		return s.api.NotFound(what)
	case status == statusDeleting && s.settings.DeleteAgain == "conflict":
		return s.api.IsDeleting(what, x.key())
	}
	return nil
}

// owned are the filters by name, organization and project that the request has.
// of is the namespace of a row.
func owned[T listing.Row](p *listing.Query, of func(T) *namespace) []func(T) bool {
	checks := listing.Named[T](p)
	if id, ok := p.UUID("organization_id"); ok {
		checks = append(checks, func(r T) bool { return of(r).organizationID == id })
	}
	if id, ok := p.UUID("project_id"); ok {
		checks = append(checks, func(r T) bool { return of(r).projectID == id })
	}
	return checks
}

// readJSON reads the body of a request; an empty one changes nothing.
func (s *Server) readJSON(c *call, into any) *wire.Answer {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return s.api.InvalidArgument("body", wire.ReasonFormat, "it is not the JSON that was expected")
	}
	return nil
}
