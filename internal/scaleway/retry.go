package scaleway

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/internal/retry"
)

const (
	maxTries = 5
	// maxPauses bounds the sum of the pauses between the tries of one call. The time
	// that the pacer holds a request back after a 429 is not part of it.
	maxPauses = 10 * time.Second
)

// retrier repeats a request after a fault that may pass: 429, 5xx, an impossible
// 200, a timeout, a broken connection. It comes after readOnly, so it only ever
// repeats a GET.
type retrier struct {
	next    http.RoundTripper
	pause   time.Duration // the longest before the second try
	log     *slog.Logger
	retried func(path string, status int)
	traffic *Traffic
}

func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	path := req.URL.Path
	loop := retry.Loop{
		Tries:  maxTries,
		Budget: maxPauses,
		Again: func(err error, try int) (time.Duration, bool) {
			return t.pauseAfter(err, try), passing(err)
		},
		Before: func(err error, try int, pause time.Duration) {
			t.log.Debug("a request is tried again", "path", path, "try", try+1, "pause", pause)
			t.retried(path, statusOf(err))
			t.traffic.retry(req, try+1)
		},
	}
	defer t.traffic.finished(req)
	var resp *http.Response
	tries, err := loop.Do(req.Context(), func() (err error) {
		resp, err = t.next.RoundTrip(req) //nolint:bodyclose // the caller of RoundTrip closes it
		return err
	})
	if err != nil {
		return nil, &callError{tries: tries, err: err}
	}
	return resp, nil
}

// statusOf returns the status of the answer that caused the error; 0 without an
// answer.
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

// passing reports whether the fault may pass.
func passing(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.code == http.StatusTooManyRequests || status.code >= 500
	}
	var terminal *terminalError
	var tooLong *pace.TooLongError
	if errors.As(err, &terminal) || errors.As(err, &tooLong) {
		return false
	}
	return retry.ConnectionMayPass(err)
}

// pauseAfter is how long to pause after a failed try: a growing pause, or what
// the API asks for if that is longer. After a 429 the pacer holds back the requests
// of all calls, so there is nothing to add here.
func (t *retrier) pauseAfter(err error, try int) time.Duration {
	pause := retry.Pause(t.pause, try)
	var status *statusError
	if errors.As(err, &status) {
		if status.code == http.StatusTooManyRequests {
			return 0
		}
		pause = max(pause, status.retryAfter)
	}
	return pause
}
