package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// statusError is an answer of the API other than 200.
type statusError struct {
	code    int
	kind    string // the type that the body states, such as "permissions_denied"; "" when it states none
	message string // redacted; "" when the answer says nothing a person can read
	// retryAfter is what the API asks to wait; negative when it does not say.
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	// The reason phrase on the wire is not used: anybody may write anything there.
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
func (e *statusError) Unwrap() error {
	switch e.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return registry.ErrDenied
	case http.StatusNotFound:
		return registry.ErrNotFound
	}
	return nil
}

// answerError is a 200 that cannot be an answer of the API: an empty body, an
// HTML page, half a JSON document. It may be the passing fault of a gateway.
type answerError struct{ problem string }

func (e *answerError) Error() string { return "200 OK, but " + e.problem }

// timeoutError is a request that was not answered in time.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no complete answer within %s", e.after) }

// unsentError is a request that was never sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

// terminalError is a failure that no repetition can mend.
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

// readError is what callers of a Reader or an Editor get: text in which the secret key
// cannot be, and nothing to unwrap but the sentinels it stands for. The causes
// are left behind on purpose, since their texts quote the API.
type readError struct {
	text  string
	kinds []error
}

func (e *readError) Error() string   { return e.text }
func (e *readError) Unwrap() []error { return e.kinds }

// fail makes the readError for doing what the format says.
func (r *Reader) fail(ctx context.Context, err error, format string, args ...any) error {
	kinds := r.kinds(err)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		kinds = append(r.kinds(err), ctx.Err())
	}
	text := fmt.Sprintf(format, args...) + ": " + plain(err)
	return &readError{text: r.redact.text(text), kinds: kinds}
}

// sentinels are the errors of package registry that err wraps.
func sentinels(err error) []error {
	var kinds []error
	for _, kind := range []error{registry.ErrDenied, registry.ErrNotFound, registry.ErrIncomplete} {
		if errors.Is(err, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// plain is the text of err without what the SDK and net/http put before it: an
// operator does not need the URL of a request whose purpose is already told.
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

// redactor takes the secret key out of a text, however it is cased or dashed.
type redactor struct{ secret *regexp.Regexp }

func newRedactor(secretKey string) *redactor {
	dashes := strings.ReplaceAll(regexp.QuoteMeta(secretKey), "-", "-?")
	return &redactor{secret: regexp.MustCompile("(?i)" + dashes)}
}

func (r *redactor) text(s string) string {
	return r.secret.ReplaceAllLiteralString(s, "[secret key]")
}
