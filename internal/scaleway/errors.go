package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// statusError is an answer of the API other than 200.
type statusError struct {
	code    int
	kind    string // the type in the body, such as "permissions_denied"; "" without one
	message string // redacted; "" if the answer has no readable text
	// retryAfter is how long the API asks to wait; negative if it does not ask.
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	// Not the reason phrase of the answer: it may hold any text.
	text := fmt.Sprintf("%d %s", e.code, http.StatusText(e.code))
	if e.code >= 300 && e.code < 400 {
		text += " (redirects are not followed: the secret key must not leave the API host)"
	}
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

// Unwrap translates the status for callers.
func (e *statusError) Unwrap() []error {
	switch e.code {
	case http.StatusUnauthorized:
		return []error{registry.ErrDenied, registry.ErrUnauthenticated}
	case http.StatusForbidden:
		return []error{registry.ErrDenied}
	case http.StatusNotFound:
		return []error{registry.ErrNotFound}
	}
	return nil
}

// answerError is a 200 that cannot be an answer of the API: an empty body, an HTML
// page, half a JSON document. It may be a fault of a gateway that passes.
type answerError struct{ problem string }

func (e *answerError) Error() string { return "200 OK, but " + e.problem }

// timeoutError is a request without a complete answer in time.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no complete answer within %s", e.after) }

// unsentError is a request that was never sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// terminalError is a failure that another try cannot mend.
type terminalError struct{ err error }

func (e *terminalError) Error() string { return e.err.Error() }
func (e *terminalError) Unwrap() error { return e.err }

// callError is the failure of a call after all its tries.
type callError struct {
	tries int
	err   error
}

func (e *callError) Error() string {
	if e.tries < 2 {
		return e.err.Error()
	}
	return fmt.Sprintf("%v (after %d tries)", e.err, e.tries)
}

func (e *callError) Unwrap() error { return e.err }

// readError is the error of a Reader or an Editor: a text without the secret key,
// which unwraps only to errors of package registry and context. It drops its cause on
// purpose, since the texts of causes quote the API.
type readError struct {
	text  string
	kinds []error
}

func (e *readError) Error() string   { return e.text }
func (e *readError) Unwrap() []error { return e.kinds }

// fail makes a readError. The format describes what failed.
func (r *Reader) fail(ctx context.Context, err error, format string, args ...any) error {
	kinds := r.kinds(err)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		kinds = append(r.kinds(err), ctx.Err())
	}
	text := fmt.Sprintf(format, args...) + ": " + plain(err)
	if errors.Is(err, registry.ErrUnauthenticated) { // whatever was asked for
		text = r.refusal(err)
	}
	return &readError{text: r.redact.Text(text), kinds: kinds}
}

// refusal is the error of credentials that the API refuses: which key, and where it comes
// from.
func (r *Reader) refusal(err error) string {
	why := plain(err)
	var status *statusError
	if errors.As(err, &status) {
		why = status.Error()
	}
	return fmt.Sprintf("the API refuses the access key %s (%s): %s: check that the secret key belongs to it, and in the Scaleway console (IAM, API keys) that it exists and has not expired", r.accessKey, r.keySource, why)
}

// sentinels returns the errors of package registry that an error of a Reader wraps.
func sentinels(err error) []error {
	return wrapped(err, registry.ErrDenied, registry.ErrUnauthenticated, registry.ErrNotFound, registry.ErrIncomplete)
}

// wrapped returns those of the kinds that an error wraps.
func wrapped(err error, kinds ...error) []error {
	return slices.DeleteFunc(kinds, func(kind error) bool { return !errors.Is(err, kind) })
}

// plain returns the text of an error without the prefixes of the SDK and net/http:
// the operator knows what was being done, and does not need the URL.
func plain(err error) string {
	var page *pageError
	if errors.As(err, &page) {
		return fmt.Sprintf("page %d: %s", page.page, plain(page.err))
	}
	var call *callError
	if errors.As(err, &call) {
		return call.Error()
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		return sent.Err.Error()
	}
	return strings.ReplaceAll(err.Error(), "scaleway-sdk-go: ", "")
}
