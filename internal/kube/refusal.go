package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/retry"
	"github.com/registry-janitor/registry-janitor/registry"
)

// refusal is an answer other than 200.
type refusal struct {
	code    int
	reason  metav1.StatusReason
	message string        // without secrets
	after   time.Duration // that the cluster asks to wait
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the cluster answers %d: %s", r.code, r.message)
}

// Unwrap returns the error of package registry that the code stands for.
func (r *refusal) Unwrap() error {
	switch r.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return registry.ErrDenied
	case http.StatusNotFound:
		return registry.ErrNotFound
	case http.StatusTooManyRequests:
		return registry.ErrThrottled
	}
	return nil
}

// mayPass reports whether a later try may succeed.
func (r *refusal) mayPass() bool {
	switch r.code {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refusing is the first transport. It turns every answer other than 200 into a
// refusal, above the transports that add credentials: they see the 401 and renew
// them. client-go would read such an answer without a bound, and take the code
// in its body.
type refusing struct {
	next  http.RoundTripper
	guard *guard
}

func (t *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	return nil, t.refusal(resp)
}

// maxStatus bounds how much of such an answer is read, in bytes.
const maxStatus = 64 << 10

func (t *refusing) refusal(resp *http.Response) *refusal {
	r := &refusal{code: resp.StatusCode, message: http.StatusText(resp.StatusCode)}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxStatus))
	var s metav1.Status
	if err == nil && json.Unmarshal(body, &s) == nil && s.Kind == "Status" {
		r.reason = s.Reason
		if message := t.guard.redact(s.Message); message != "" {
			r.message = message
		}
		if s.Details != nil {
			r.after = time.Duration(s.Details.RetryAfterSeconds) * time.Second
		}
	}
	r.after = max(r.after, retry.After(resp.Header, clock.Now()))
	return r
}

// errLogin is a plugin that returned no credentials, so that nothing was sent.
var errLogin = errors.New("no credentials for the cluster")

// unreachable is the error of a request without an answer to read.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var refused *refusal
	if errors.As(err, &refused) {
		return refused
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err // the name of the cluster says more than the URL
	}
	message := c.guard.redact(err.Error())
	// The error of client-go for a plugin that failed has no type.
	if strings.HasPrefix(message, "getting credentials") {
		return fmt.Errorf("%w: %s", errLogin, message)
	}
	return fmt.Errorf("%w: %s", errUnreachable, message)
}
