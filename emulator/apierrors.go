package emulator

import (
	"cmp"
	"net/http"
	"strings"
)

// answer is what the API answers before a fault spoils it.
type answer struct {
	status      int
	contentType string
	header      map[string]string
	body        []byte
}

const jsonType = "application/json"

func jsonAnswer(status int, body []byte) *answer {
	return &answer{status: status, contentType: jsonType, body: body}
}

// object writes a JSON object from keys and values that are JSON already.
func (s *Server) object(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(map[bool]string{true: "{", false: s.comma}[i == 0])
		b.WriteString(quote(pairs[i]) + ":" + pairs[i+1])
	}
	return b.String() + "}"
}

func (s *Server) problem(status int, pairs ...string) *answer {
	return jsonAnswer(status, []byte(s.object(pairs...)))
}

// notFound has no type, unlike the 404 of other products.
func (s *Server) notFound(what string) *answer {
	return s.problem(http.StatusNotFound, "message", quote(what+" was not found"))
}

// The reasons of an invalid argument, as the SDK names them.
const (
	reasonFormat     = "format"
	reasonConstraint = "constraint"
	reasonRequired   = "required"
)

func (s *Server) invalidArgument(name, reason, help string) *answer {
	detail := s.object("argument_name", quote(name), "help_message", quote(help), "reason", quote(reason))
	return s.problem(http.StatusBadRequest,
		"details", "["+detail+"]", "message", quote("invalid argument(s)"), "type", quote("invalid_arguments"))
}

func (s *Server) unauthenticated() *answer {
	return s.problem(http.StatusUnauthorized,
		"message", quote("authentication is denied"), "method", quote("api_key"), "reason", quote("not_found"), "type", quote("denied_authentication"))
}

// digestIsShared is the refusal to delete a tag whose digest another tag has. The
// API's documentation describes that this fails, but not how: 412 is the typed error
// for something that is in the way.
func (s *Server) digestIsShared() *answer {
	return s.problem(http.StatusPreconditionFailed,
		"help_message", quote("another tag of the image has the same digest"), "message", quote("precondition failed"),
		"precondition", quote("resource_still_in_use"), "type", quote("precondition_failed"))
}

func (s *Server) isLocked(what string, id uuid) *answer {
	return s.problem(http.StatusLocked,
		"message", quote("resource is locked"), "resource", quote(strings.ToLower(what)), "resource_id", quote(id.String()), "type", quote("locked"))
}

func (s *Server) isDeleting(what string, id uuid) *answer {
	return s.problem(http.StatusConflict,
		"current_state", quote(statusDeleting), "message", quote("resource is in a transient state"),
		"resource", quote(strings.ToLower(what)), "resource_id", quote(id.String()), "type", quote("transient_state"))
}

// rateLimited is the answer of the gateway before the API: without a body, without
// Retry-After.
func rateLimited() *answer {
	return &answer{status: http.StatusTooManyRequests, header: map[string]string{"X-Envoy-Ratelimited": "true"}}
}

// typical is the usual answer of a status.
func (s *Server) typical(status int, message string) *answer {
	switch status {
	case http.StatusBadRequest:
		return s.invalidArgument("request", reasonFormat, cmp.Or(message, "it could not be understood"))
	case http.StatusUnauthorized:
		return s.unauthenticated()
	case http.StatusForbidden:
		detail := s.object("action", quote("read"), "resource", quote("registry"))
		return s.problem(status, "details", "["+detail+"]", "message", quote(cmp.Or(message, "insufficient permissions")), "type", quote("permissions_denied"))
	case http.StatusConflict:
		return s.problem(status, "current_state", quote("unknown"), "message", quote(cmp.Or(message, "resource is in a transient state")),
			"resource", quote("resource"), "resource_id", quote(""), "type", quote("transient_state"))
	case http.StatusPreconditionFailed:
		return s.problem(status, "help_message", quote(cmp.Or(message, "a precondition is not met")), "message", quote("precondition failed"),
			"precondition", quote("unknown_precondition"), "type", quote("precondition_failed"))
	case http.StatusLocked:
		return s.problem(status, "message", quote(cmp.Or(message, "resource is locked")), "resource", quote("resource"), "resource_id", quote(""), "type", quote("locked"))
	case http.StatusNotFound:
		return s.problem(status, "message", quote(cmp.Or(message, "resource was not found")))
	}
	return s.problem(status, "message", quote(cmp.Or(message, phrase(status))))
}

// phrase is the text that a gateway sends with a status.
func phrase(status int) string {
	switch {
	case status == http.StatusInternalServerError:
		return "internal error"
	case status == http.StatusGatewayTimeout:
		return "upstream request timeout"
	case http.StatusText(status) != "":
		return strings.ToLower(http.StatusText(status))
	}
	return "error"
}
