package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// noticeable is what counts as a wait: passing the limiter without one takes some
// time too.
const noticeable = time.Millisecond

// pacer bounds the requests in flight to each host, and slows down when the
// host answers 429. Its waits end before the attempt behind it begins, so they
// never count against the timeout of a request.
type pacer struct {
	next        http.RoundTripper
	concurrency int
	waited      func(time.Duration) // told of every wait for the limiter

	mu    sync.Mutex
	hosts map[string]*hostPace
}

// hostPace is the state of one host.
type hostPace struct {
	slots   chan struct{}
	limiter adaptiveLimiter
}

func newPacer(next http.RoundTripper, concurrency int, waited func(time.Duration)) *pacer {
	return &pacer{next: next, concurrency: concurrency, waited: waited, hosts: map[string]*hostPace{}}
}

func (t *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	host := t.host(req.URL.Host)
	if err := host.enter(req.Context(), t.waited); err != nil {
		return nil, &unsentError{fmt.Errorf("wait for a turn: %w", err)}
	}
	defer host.leave()
	sent := monotonic()
	resp, err := t.next.RoundTrip(req)
	host.learn(sent, err)
	return resp, err
}

func (t *pacer) host(name string) *hostPace {
	t.mu.Lock()
	defer t.mu.Unlock()
	host, ok := t.hosts[name]
	if !ok {
		host = &hostPace{slots: make(chan struct{}, t.concurrency)}
		t.hosts[name] = host
	}
	return host
}

// enter waits for a free slot, then for the limiter. In this order at most as
// many requests as there are slots hold a reservation of a rate that may be cut
// while they wait.
func (h *hostPace) enter(ctx context.Context, waited func(time.Duration)) error {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	before := monotonic()
	err := h.limiter.wait(ctx)
	if d := monotonic().Sub(before); d >= noticeable {
		waited(d)
	}
	if err != nil {
		h.leave()
	}
	return err
}

func (h *hostPace) leave() { <-h.slots }

// learn tells the limiter how the host answered. A request that was not
// answered at all says nothing about its rate limit.
func (h *hostPace) learn(sent time.Time, err error) {
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		h.limiter.refused(sent, monotonic(), status.retryAfter)
	case err == nil || errors.As(err, &status):
		h.limiter.accepted(monotonic())
	}
}
