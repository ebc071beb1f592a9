package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/registry"
)

// noticeable is the shortest time that counts as a wait: a request that need not
// wait takes some time too.
const noticeable = time.Millisecond

// pacer bounds the requests in flight to each host, and slows down when the host
// answers 429. It waits before the attempt begins, so that its waits never count
// against the timeout of a request.
type pacer struct {
	next        http.RoundTripper
	concurrency int
	waited      func(time.Duration) // called after every wait for the limiter
	traffic     *Traffic

	mu    sync.Mutex
	hosts map[string]*hostPace
}

// hostPace is the state of one host.
type hostPace struct {
	slots   chan struct{}
	limiter pace.Limiter
}

func newPacer(next http.RoundTripper, concurrency int, waited func(time.Duration), traffic *Traffic) *pacer {
	return &pacer{next: next, concurrency: concurrency, waited: waited, traffic: traffic, hosts: map[string]*hostPace{}}
}

func (t *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	host := t.host(req.URL.Host)
	if err := host.enter(req.Context(), t.waited, t.traffic); err != nil {
		return nil, &unsentError{fmt.Errorf("wait for the rate limit: %w", err)}
	}
	defer host.leave()
	if isLate(req.Context()) {
		return nil, &unsentError{registry.ErrLate}
	}
	sent := clock.Now()
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		noteAnswer(req.Context(), sent)
	}
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

// enter waits for a free slot, then for the limiter. In this order few requests
// hold a reservation of a rate that may be cut while they wait: one for each slot.
func (h *hostPace) enter(ctx context.Context, waited func(time.Duration), traffic *Traffic) error {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	before, over := clock.Now(), traffic.wait()
	err := h.limiter.Wait(ctx)
	d := clock.Now().Sub(before)
	over(d >= noticeable)
	if d >= noticeable {
		waited(d)
	}
	if err != nil {
		h.leave()
	}
	return err
}

func (h *hostPace) leave() { <-h.slots }

// learn passes the answer of the host on to the limiter. A request without an
// answer does not count.
func (h *hostPace) learn(sent time.Time, err error) {
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		h.limiter.Refused(sent, clock.Now(), status.retryAfter)
	case err == nil || errors.As(err, &status):
		h.limiter.Accepted(sent, clock.Now())
	}
}
