package registry

import "errors"

// The errors into which adapters translate an answer of the API. Callers test
// for them with errors.Is; nobody matches strings.
var (
	// ErrNotFound: the object does not exist (any more).
	ErrNotFound = errors.New("not found")
	// ErrDenied: the credentials are refused, or lack a right (401, 403). Trying
	// again does not help.
	ErrDenied = errors.New("denied")
	// ErrIncomplete: a listing came back short, with duplicates, or changed while
	// it was read, and did so again when it was repeated.
	ErrIncomplete = errors.New("incomplete listing")
	// ErrConflict: the API refuses this change to this object as things stand (409,
	// 412, 423, and a 403 that is not about rights). Nothing was changed; it may
	// pass.
	ErrConflict = errors.New("conflict")
	// ErrThrottled: too many requests (429). Nothing was changed.
	ErrThrottled = errors.New("throttled")
	// ErrUnknownOutcome: a change was sent, and no answer tells whether it was made:
	// it timed out, the connection was cut, a gateway answered instead of the API.
	// Only reading the object tells.
	ErrUnknownOutcome = errors.New("unknown outcome")
)
