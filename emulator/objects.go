package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// object is what a path can name: a namespace, an image or a tag.
type object interface {
	key() uuid
	state() string // the status as the API shows it
	write(*writer)
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
func get[T swappable[T]](what string, all func(*region) map[uuid]T) operation {
	return func(s *Server, r *region, c *call) *answer {
		x, refusal := find(s, c, what, all(r))
		if refusal != nil {
			return refusal
		}
		return show(s.writer(), shown(c, x))
	}
}

// remove is the operation that deletes one of the objects of a region. begin
// starts the deletion, or refuses it.
func remove[T swappable[T]](what string, all func(*region) map[uuid]T, begin func(*Server, *call, T) *answer) operation {
	return func(s *Server, r *region, c *call) *answer {
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
		w := s.mutationWriter(c.at)
		w.leaving = c.slow() > 0
		return show(w, shown(c, x))
	}
}

// find is the object that the call names, or the refusal if there is none.
func find[T object](s *Server, c *call, what string, all map[uuid]T) (found T, refusal *answer) {
	id, ok := parseUUID(c.route.id)
	if !ok {
		return found, s.invalidArgument(strings.ToLower(what)+"_id", reasonFormat, "it must be a UUID")
	}
	if found, ok = all[id]; !ok {
		return found, s.notFound(what)
	}
	return found, nil
}

// show answers with one object.
func show(w *writer, x object) *answer {
	x.write(w)
	return jsonAnswer(http.StatusOK, w.buf)
}

// mayChange refuses to change what is locked or being deleted.
func (s *Server) mayChange(what string, x object) *answer {
	switch x.state() {
	case statusDeleting:
		return s.isDeleting(what, x.key())
	case statusLocked:
		return s.isLocked(what, x.key())
	}
	return nil
}

// mayDelete refuses to delete what is locked, and what is being deleted if the
// settings refuse it.
func (s *Server) mayDelete(what string, x object) *answer {
	switch status := x.state(); {
	case status == statusLocked:
		return s.isLocked(what, x.key())
	case status == statusDeleting && s.settings.DeleteAgain == "not_found":
		return s.notFound(what)
	case status == statusDeleting && s.settings.DeleteAgain == "conflict":
		return s.isDeleting(what, x.key())
	}
	return nil
}

// readJSON reads the body of a request; an empty one changes nothing.
func (s *Server) readJSON(c *call, into any) *answer {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return s.invalidArgument("body", reasonFormat, "it is not the JSON that was expected")
	}
	return nil
}
