package wire

import (
	"cmp"
	"net/http"
	"strings"
)

// Answer is what the API answers before a fault spoils it.
type Answer struct {
	Status      int
	ContentType string
	Header      map[string]string
	Body        []byte
}

// JSON is an answer that has JSON.
func JSON(status int, body []byte) *Answer {
	return &Answer{Status: status, ContentType: "application/json", Body: body}
}

// Object writes a JSON object from keys and values that are JSON already.
func (a *API) Object(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(map[bool]string{true: "{", false: a.Comma}[i == 0])
		b.WriteString(Quote(pairs[i]) + ":" + pairs[i+1])
	}
	return b.String() + "}"
}

// Problem answers with an error, of keys and values that are JSON already.
func (a *API) Problem(status int, pairs ...string) *Answer {
	return JSON(status, []byte(a.Object(pairs...)))
}

// NotFound has no type, unlike the 404 of other products.
func (a *API) NotFound(what string) *Answer {
	return a.Problem(http.StatusNotFound, "message", Quote(what+" was not found"))
}

// The reasons of an invalid argument, as the SDK names them.
const (
	ReasonFormat     = "format"
	ReasonConstraint = "constraint"
	ReasonRequired   = "required"
)

// InvalidArgument refuses a parameter.
func (a *API) InvalidArgument(name, reason, help string) *Answer {
	detail := a.Object("argument_name", Quote(name), "help_message", Quote(help), "reason", Quote(reason))
	return a.Problem(http.StatusBadRequest,
		"details", "["+detail+"]", "message", Quote("invalid argument(s)"), "type", Quote("invalid_arguments"))
}

// Unauthenticated refuses a client without a valid secret key.
func (a *API) Unauthenticated() *Answer {
	return a.Problem(http.StatusUnauthorized,
		"message", Quote("authentication is denied"), "method", Quote("api_key"), "reason", Quote("not_found"), "type", Quote("denied_authentication"))
}

// DigestIsShared is the refusal to delete a tag whose digest another tag has. The
// API's documentation describes that this fails, but not how: 412 is the typed error
// for something that is in the way.
func (a *API) DigestIsShared() *Answer {
	return a.Problem(http.StatusPreconditionFailed,
		"help_message", Quote("another tag of the image has the same digest"), "message", Quote("precondition failed"),
		"precondition", Quote("resource_still_in_use"), "type", Quote("precondition_failed"))
}

// IsLocked refuses to change something in status locked.
func (a *API) IsLocked(what string, id UUID) *Answer {
	return a.Problem(http.StatusLocked,
		"message", Quote("resource is locked"), "resource", Quote(strings.ToLower(what)), "resource_id", Quote(id.String()), "type", Quote("locked"))
}

// IsDeleting refuses to change something in status deleting.
func (a *API) IsDeleting(what string, id UUID) *Answer {
	return a.Problem(http.StatusConflict,
		"current_state", Quote("deleting"), "message", Quote("resource is in a transient state"),
		"resource", Quote(strings.ToLower(what)), "resource_id", Quote(id.String()), "type", Quote("transient_state"))
}

// RateLimited is the answer of the gateway before the API: without a body, without
// Retry-After.
func RateLimited() *Answer {
	return &Answer{Status: http.StatusTooManyRequests, Header: map[string]string{"X-Envoy-Ratelimited": "true"}}
}

// Typical is the usual answer of a status.
func (a *API) Typical(status int, message string) *Answer {
	switch status {
	case http.StatusBadRequest:
		return a.InvalidArgument("request", ReasonFormat, cmp.Or(message, "it could not be understood"))
	case http.StatusUnauthorized:
		return a.Unauthenticated()
	case http.StatusForbidden:
		detail := a.Object("action", Quote("read"), "resource", Quote("registry"))
		return a.Problem(status, "details", "["+detail+"]", "message", Quote(cmp.Or(message, "insufficient permissions")), "type", Quote("permissions_denied"))
	case http.StatusConflict:
		return a.Problem(status, "current_state", Quote("unknown"), "message", Quote(cmp.Or(message, "resource is in a transient state")),
			"resource", Quote("resource"), "resource_id", Quote(""), "type", Quote("transient_state"))
	case http.StatusPreconditionFailed:
		return a.Problem(status, "help_message", Quote(cmp.Or(message, "a precondition is not met")), "message", Quote("precondition failed"),
			"precondition", Quote("unknown_precondition"), "type", Quote("precondition_failed"))
	case http.StatusLocked:
		return a.Problem(status, "message", Quote(cmp.Or(message, "resource is locked")), "resource", Quote("resource"), "resource_id", Quote(""), "type", Quote("locked"))
	case http.StatusNotFound:
		return a.Problem(status, "message", Quote(cmp.Or(message, "resource was not found")))
	}
	return a.Problem(status, "message", Quote(cmp.Or(message, Phrase(status))))
}

// Phrase is the text that a gateway sends with a status.
func Phrase(status int) string {
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
