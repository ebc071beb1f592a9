package scaleway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxTries = 5
	// maxWaiting bounds the sum of the pauses between the tries of one call. What
	// the pacer makes a request wait after a 429 is not part of it.
	maxWaiting = 10 * time.Second
	// firstPause is the longest pause before the second try; it doubles from try
	// to try. With the jitter of a half, four of them make 3.75 to 7.5 seconds.
	firstPause = 500 * time.Millisecond
)

// retrier repeats a request after what may be a passing fault: 429, 5xx, an
// impossible 200, a timeout, a broken connection. It stands behind readOnly, so
// all it ever repeats is a GET.
type retrier struct {
	client  *http.Client
	log     *slog.Logger
	retried func(path string, status int)
}

func newRetrier(next http.RoundTripper, log *slog.Logger, retried func(string, int)) *retrier {
	return &retrier{log: log, retried: retried, client: &http.Client{Transport: next, CheckRedirect: noRedirects}}
}

func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	call := &retryCall{log: t.log, retried: t.retried, path: req.URL.Path}
	client := &retryablehttp.Client{
		HTTPClient:   t.client,
		RetryMax:     maxTries - 1,
		CheckRetry:   call.check,
		Backoff:      call.backoff,
		ErrorHandler: call.giveUp,
	}
	return (&retryablehttp.RoundTripper{Client: client}).RoundTrip(req)
}

// retryCall is the state of one call: what its next pause is, and how long it
// has waited.
type retryCall struct {
	log     *slog.Logger
	retried func(path string, status int)
	path    string
	tries   int
	status  int // that the last try was answered with; 0 for none
	pause   time.Duration
	waited  time.Duration
}

// check says whether to try again after err, and for how long to pause first.
func (c *retryCall) check(ctx context.Context, _ *http.Response, err error) (bool, error) {
	c.tries++
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err == nil || !passing(err) {
		return false, nil
	}
	c.status = statusOf(err)
	c.pause = pauseAfter(err, c.tries)
	return c.waited+c.pause <= maxWaiting, nil
}

func (c *retryCall) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	c.waited += c.pause
	c.log.Debug("request is tried again", "path", c.path, "try", c.tries+1, "pause", c.pause)
	c.retried(c.path, c.status)
	return c.pause
}

func (c *retryCall) giveUp(resp *http.Response, err error, tries int) (*http.Response, error) {
	if resp != nil {
		_ = resp.Body.Close() // it is buffered: nothing can fail
	}
	return nil, &callError{tries: tries, err: err}
}

// statusOf is the status of the answer that the error stands for; 0 where there
// was none.
func statusOf(err error) int {
	var status *statusError
	var answer *answerError
	switch {
	case errors.As(err, &status):
		return status.code
	case errors.As(err, &answer):
		return http.StatusOK
	}
	return 0
}

// passing tells the faults that may pass from those that will not.
func passing(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.code == http.StatusTooManyRequests || status.code >= 500
	}
	var terminal *terminalError
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	switch {
	case errors.As(err, &terminal), errors.As(err, &certificate):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	}
	return true
}

// pauseAfter is how long to pause after the failed try of that number: what the
// API asked for, or exponentially longer, with a jitter that keeps the requests
// of a burst apart. After a 429 the pacer holds the requests of all calls back,
// so there is nothing to add here.
func pauseAfter(err error, try int) time.Duration {
	longest := firstPause << (try - 1)
	pause := longest/2 + rand.N(longest/2)
	var status *statusError
	if errors.As(err, &status) {
		if status.code == http.StatusTooManyRequests {
			return 0
		}
		pause = max(pause, status.retryAfter)
	}
	return pause
}

// noRedirects makes a client hand a redirect out instead of following it.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
