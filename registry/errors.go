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
)
