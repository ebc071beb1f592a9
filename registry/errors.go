package registry

import "errors"

// The errors into which adapters translate an answer of the API. Test for them with
// errors.Is, and never match strings.
var (
	// ErrNotFound: the object does not exist, or no longer.
	ErrNotFound = errors.New("not found")
	// ErrDenied: the credentials are refused, or lack a right (401, 403). Trying
	// again does not help.
	ErrDenied = errors.New("denied")
	// ErrUnauthenticated: the credentials themselves are refused (401), so that no
	// request will succeed. It comes with ErrDenied.
	ErrUnauthenticated = errors.New("credentials refused")
	// ErrMismatch: an answer is about another object than was asked for.
	ErrMismatch = errors.New("answer about another object")
	// ErrLate: a change could not be sent in time, and was not sent.
	ErrLate = errors.New("not sent in time")
	// ErrIncomplete: a listing came back short, with duplicates, or changed while
	// it was read, and did so again when it was repeated.
	ErrIncomplete = errors.New("incomplete listing")
	// ErrConflict: the API refuses this change for now (409, 412, 423, and a 403 that
	// is not about rights). Nothing was changed. A later attempt may succeed.
	ErrConflict = errors.New("conflict")
	// ErrThrottled: too many requests (429). Nothing was changed.
	ErrThrottled = errors.New("throttled")
	// ErrUnknownOutcome: a change was sent, and it is unknown whether it was made: the
	// request timed out, the connection was cut, or a gateway answered instead of the
	// API. Read the object to find out.
	ErrUnknownOutcome = errors.New("unknown outcome")
)

// MayPass reports whether a change that was answered with an error may succeed later, as
// far as the kind of the error shows. It is false for nil.
func MayPass(err error) bool {
	for _, kind := range []error{ErrUnknownOutcome, ErrThrottled, ErrConflict, ErrNotFound, ErrDenied} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return err == nil
}
