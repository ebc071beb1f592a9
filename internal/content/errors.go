package content

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// statusError is an answer that is not a success.
type statusError struct {
	code    int
	message string // without the secret key; "" if the answer has no readable text
	// retryAfter is how long the host asks to wait; negative if it does not ask.
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	// Not the reason phrase of the answer: it may hold any text.
	status := fmt.Sprintf("%d %s", e.code, http.StatusText(e.code))
	if e.message != "" {
		status += ": " + e.message
	}
	return status
}

// terminalError is a failure that another try cannot mend.
type terminalError struct{ err error }

func (e *terminalError) Error() string { return e.err.Error() }
func (e *terminalError) Unwrap() error { return e.err }

// tokenError is a login that failed.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return "log in to the registry: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// partError is the failure to read a part of an index.
type partError struct {
	digest string
	err    error
}

func (e *partError) Error() string { return "its part " + e.digest + ": " + e.err.Error() }
func (e *partError) Unwrap() error { return e.err }

// redactor removes the secret key as it is.
func redactor(secret string) func(string) string {
	if secret == "" {
		return func(s string) string { return s }
	}
	return strings.NewReplacer(secret, "[secret key]").Replace
}

// explain says why the content of a digest could not be read, and what to do, on one line
// and without the secret key or the address of a redirect, which may be signed.
func (r *Reader) explain(ctx context.Context, digest string, err error) string {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	why := plain(err)
	if remedy := remedyOf(err); remedy != "" {
		why += ": " + remedy
	}
	return r.o.Redact("read the content of " + digest + ": " + strings.Join(strings.Fields(why), " "))
}

// remedyOf is what the operator can do about an error; "" if there is nothing special.
func remedyOf(err error) string {
	var status *statusError
	var login *tokenError
	code := 0
	var answered *transport.Error
	switch {
	case errors.As(err, &status):
		code = status.code
	case errors.As(err, &answered):
		code = answered.StatusCode
	}
	switch {
	case errors.As(err, &login) && (code == http.StatusNotFound || code == http.StatusUnauthorized || code == http.StatusBadRequest):
		return "the registry does not accept the secret key (it answers so to a wrong one): check SCW_SECRET_KEY, and in the Scaleway console (IAM, API keys) that the key exists and has not expired"
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		return "give the API key the permission set ContainerRegistryReadOnly in the project of the namespace"
	case code == http.StatusNotFound:
		return "the registry does not have it: if its tag is still listed, push it again or delete the tag"
	}
	return ""
}

// plain is the text of an error without the prefixes of the library and of net/http, which
// quote addresses.
func plain(err error) string {
	var part *partError
	if errors.As(err, &part) {
		return "its part " + part.digest + ": " + plain(part.err)
	}
	var login *tokenError
	if errors.As(err, &login) {
		return "log in to the registry: " + plain(login.err)
	}
	var answered *transport.Error
	if errors.As(err, &answered) {
		return (&statusError{code: answered.StatusCode}).Error()
	}
	var sent *url.Error
	for errors.As(err, &sent) {
		err = sent.Err
	}
	first, _, _ := strings.Cut(err.Error(), "\n") // what follows quotes an answer
	return strings.TrimSuffix(first, ":")
}
