package content

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/internal/retry"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

const (
	maxManifest = 4 << 20
	maxConfig   = 8 << 20  // also of any other answer
	maxError    = 64 << 10 // of an answer that is not a success
	maxMessage  = 300      // characters of it that an error quotes
)

// The tries and pauses are those of the client of the API.
const (
	maxTries   = 5
	maxPauses  = 10 * time.Second
	firstPause = 500 * time.Millisecond
)

// newChain makes the chain below the guard.
func newChain(o Options, n *counts) http.RoundTripper {
	a := &attempt{next: o.Base, timeout: o.RequestTimeout, redact: o.Redact, counts: n}
	return &retrier{next: &pacer{next: a, hosts: pace.Hosts{Concurrency: o.Concurrency}}, log: o.Logger}
}

// retrier repeats a request after a temporary failure. It comes after the guard, so it
// only ever repeats a read.
type retrier struct {
	next http.RoundTripper
	log  *slog.Logger
}

func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	loop := retry.Loop{
		Tries:  maxTries,
		Budget: maxPauses,
		Again:  func(err error, try int) (time.Duration, bool) { return pauseAfter(err, try), passing(err) },
		Before: func(_ error, try int, pause time.Duration) {
			t.log.Debug("a request to a registry is tried again", "host", req.URL.Host, "path", req.URL.Path, "try", try+1, "pause", pause)
		},
	}
	var resp *http.Response
	tries, err := loop.Do(req.Context(), func() (err error) {
		resp, err = t.next.RoundTrip(req) //nolint:bodyclose // the caller of RoundTrip closes it
		return err
	})
	if err != nil && tries > 1 {
		return nil, fmt.Errorf("%w (after %d tries)", err, tries)
	}
	return resp, err
}

// passing reports whether the fault may pass.
func passing(err error) bool {
	var status *statusError
	var answered *transport.Error
	var terminal *terminalError
	var tooLong *pace.TooLongError
	switch {
	case errors.As(err, &status):
		return status.code == http.StatusTooManyRequests || status.code >= 500
	case errors.As(err, &answered), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &terminal), errors.As(err, &tooLong):
		return false
	}
	return retry.ConnectionMayPass(err)
}

// pauseAfter is how long to pause after a failed try. After a 429 the pacer holds back all
// requests to the host.
func pauseAfter(err error, try int) time.Duration {
	pause := retry.Pause(firstPause, try)
	var status *statusError
	if errors.As(err, &status) {
		if status.code == http.StatusTooManyRequests {
			return 0
		}
		pause = max(pause, status.retryAfter)
	}
	return pause
}

// pacer bounds the requests in flight to each host, and slows down when it answers 429.
type pacer struct {
	next  http.RoundTripper
	hosts pace.Hosts
}

func (t *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	h := t.hosts.Host(req.URL.Host)
	if err := h.Enter(req.Context()); err != nil {
		return nil, err
	}
	defer h.Leave()
	if err := h.Wait(req.Context()); err != nil {
		return nil, fmt.Errorf("wait for the rate limit: %w", err)
	}
	sent := clock.Now()
	resp, err := t.next.RoundTrip(req)
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		h.Refused(sent, clock.Now(), status.retryAfter)
	case err == nil || errors.As(err, &status):
		h.Accepted(sent, clock.Now())
	}
	return resp, err
}

// attempt sends one request and reads its whole answer within the timeout. It passes on
// what the layers above act on: a success, a redirect, and a 401 of a registry, which has
// the challenge. Everything else is an error.
type attempt struct {
	next    http.RoundTripper
	timeout time.Duration
	redact  func(string) string
	counts  *counts
}

func (t *attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	defer cancel()
	t.counts.calls.Add(1)
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, t.explain(req, ctx, err)
	}
	defer resp.Body.Close()
	limit := limitOf(req)
	challenge := resp.StatusCode == http.StatusUnauthorized && strings.HasPrefix(req.URL.Path, "/v2/") && resp.Header.Get("WWW-Authenticate") != ""
	redirect := resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.Header.Get("Location") != ""
	switch {
	case challenge, redirect:
		limit = maxError
	case resp.StatusCode != http.StatusOK:
		return nil, t.refusal(resp)
	}
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(resp.Body, limit+1))
	t.counts.bytes.Add(n)
	switch {
	case err != nil:
		return nil, t.explain(req, ctx, fmt.Errorf("read the answer: %w", err))
	case n > limit:
		return nil, &terminalError{fmt.Errorf("the answer is larger than %d MiB", max(1, limit>>20))}
	}
	resp.Body, resp.ContentLength, resp.Request = io.NopCloser(&body), n, req
	return resp, nil
}

func limitOf(req *http.Request) int64 {
	if strings.Contains(req.URL.Path, "/manifests/") {
		return maxManifest
	}
	return maxConfig
}

// explain distinguishes the timeout of this attempt from the end of the caller's context.
func (t *attempt) explain(req *http.Request, ctx context.Context, err error) error {
	if req.Context().Err() == nil && ctx.Err() != nil {
		return fmt.Errorf("no complete answer within %s", t.timeout)
	}
	return err
}

// refusal makes the error of an answer that is not a success.
func (t *attempt) refusal(resp *http.Response) error {
	// A part of the body that cannot be read is only missing in the text.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxError))
	t.counts.bytes.Add(int64(len(body)))
	var answer struct {
		Message string `json:"message"` // of the gateway
		Details []struct {
			Action   string `json:"action"`
			Resource string `json:"resource"`
		} `json:"details"`
		Errors []struct { // of a registry
			Message string `json:"message"`
		} `json:"errors"`
	}
	var parts []string
	if json.Unmarshal(body, &answer) == nil {
		parts = append(parts, answer.Message)
		for _, d := range answer.Details {
			parts = append(parts, d.Action+" "+d.Resource)
		}
		for _, e := range answer.Errors {
			parts = append(parts, e.Message)
		}
	}
	message := strings.Join(strings.Fields(t.redact(strings.Join(parts, " "))), " ")
	return &statusError{code: resp.StatusCode, message: text.Clip(message, maxMessage), retryAfter: retry.After(resp.Header, clock.Now())}
}
