package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	next    http.RoundTripper
	hosts   pace.Hosts
	waited  func(time.Duration) // called after every wait for the limiter
	traffic *Traffic
}

func (t *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	host := t.hosts.Host(req.URL.Host)
	if err := t.enter(req.Context(), host); err != nil {
		return nil, &unsentError{fmt.Errorf("wait for the rate limit: %w", err)}
	}
	defer host.Leave()
	if isLate(req.Context()) {
		return nil, &unsentError{registry.ErrLate}
	}
	sent := clock.Now()
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		noteAnswer(req.Context(), sent)
	}
	learn(host, sent, err)
	return resp, err
}

// enter waits until a request to a host may be sent. If it returns no error, the host
// must be left.
func (t *pacer) enter(ctx context.Context, host *pace.Host) error {
	if err := host.Enter(ctx); err != nil {
		return err
	}
	before, over := clock.Now(), t.traffic.wait()
	err := host.Wait(ctx)
	d := clock.Now().Sub(before)
	over(d >= noticeable)
	if d >= noticeable {
		t.waited(d)
	}
	if err != nil {
		host.Leave()
	}
	return err
}

// learn passes the answer of the host on to the limiter. A request without an
// answer does not count.
func learn(host *pace.Host, sent time.Time, err error) {
	var status *statusError
	switch {
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		host.Refused(sent, clock.Now(), status.retryAfter)
	case err == nil || errors.As(err, &status):
		host.Accepted(sent, clock.Now())
	}
}
