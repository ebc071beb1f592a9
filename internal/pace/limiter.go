// Package pace limits the requests to a host that publishes no limit, by what its answers
// show. Its nouns are the Limiter of a rate, and the Host with its requests in flight.
//
// It must never send anything, or give up for longer than the host asks.
package pace

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// The figures of Limiter. The API of Scaleway publishes no limit and sends no
// Retry-After with its 429; roughly 60 to 200 requests in one second have been
// seen to cause one.
const (
	slowest      = 5.0 // requests a second: polite, and still fast enough to finish
	cutTo        = 0.9 // of the rate that was too high
	growth       = 0.05
	near         = 0.95  // of the rate that was too high: from here on, growth is slow
	slowGrowth   = 0.005 // of it
	shortestHold = 250 * time.Millisecond
	longestHold  = 2 * time.Second // when the host does not say how long
	liftAfter    = time.Minute
	// maxHold is the longest Retry-After that requests wait for. With a longer one
	// the calls fail: a scan must not hang for an hour.
	maxHold = time.Minute
)

// Limiter limits the request rate to one host, by additive increase and
// multiplicative decrease. No limit applies until the first 429. A 429 cuts the
// rate below what the host accepted during the last second, and holds all requests
// back for a moment. Then the rate grows by a twentieth each second, and slowly near
// the rate that was too high, until the next 429 cuts it again, or a minute without
// one lifts it. The zero value is ready to use.
type Limiter struct {
	mu      sync.Mutex
	rate    *rate.Limiter // nil: no limit
	refusal float64       // the rate that was too high, in requests a second
	held    time.Time     // nothing is sent before
	cut     time.Time     // the last decrease
	grown   time.Time     // the last increase
	streak  int           // decreases since a request was last accepted
	accepts []time.Time   // of the last second
}

// Wait returns when a request may be sent.
func (l *Limiter) Wait(ctx context.Context) error {
	for {
		l.mu.Lock()
		hold, limit := l.held.Sub(clock.Now()), l.rate
		l.mu.Unlock()
		switch {
		case hold > maxHold:
			return &TooLongError{Wait: hold}
		case hold > 0:
			if err := clock.Sleep(ctx, hold); err != nil {
				return err
			}
			continue
		case limit == nil:
			return nil
		}
		if err := limit.Wait(ctx); err != nil {
			return err
		}
		if !l.isHeld() {
			return nil
		}
	}
}

// TooLongError is a wait that the host asks for and that is too long.
type TooLongError struct{ Wait time.Duration }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("429 Too Many Requests: the host asks to wait another %s", e.Wait.Round(time.Second))
}

// isHeld reports whether requests are held back: a hold may have begun while a
// request waited for the rate.
func (l *Limiter) isHeld() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held.After(clock.Now())
}

// Refused records a 429. Requests that were sent before the last cut exceeded the
// same rate, so they do not cut it again.
func (l *Limiter) Refused(sent, now time.Time, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hold := min(shortestHold<<min(2*l.streak, 8), longestHold)
	if retryAfter >= 0 {
		hold = retryAfter
		l.holdUntil(now.Add(hold))
	}
	if !sent.After(l.cut) {
		return
	}
	l.holdUntil(now.Add(hold))
	l.cut, l.grown = now, now
	if l.streak++; l.streak == 2 && l.rate != nil {
		return // the host may count by the second: a longer hold comes first
	}
	if l.rate == nil {
		// The accepted rate is not the limit of the host: more requests were on their way.
		l.refusal = math.Inf(1)
		l.rate = rate.NewLimiter(rate.Limit(max(slowest, float64(l.lastSecond(now))*cutTo)), 1)
		return
	}
	l.refusal = float64(l.rate.Limit())
	l.rate.SetLimit(rate.Limit(max(slowest, l.refusal*cutTo)))
}

func (l *Limiter) holdUntil(t time.Time) {
	if t.After(l.held) {
		l.held = t
	}
}

// Accepted records any other answer. One to a request that was sent before the last
// cut does not show that the new rate is accepted.
func (l *Limiter) Accepted(sent, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepts = append(l.accepts, now)
	l.lastSecond(now) // forgets the others
	if sent.After(l.cut) {
		l.streak = 0
	}
	if l.rate == nil {
		return
	}
	if now.Sub(l.cut) >= liftAfter {
		l.rate = nil
		return
	}
	// A quiet time does not prove that the host accepts a higher rate, so it adds the
	// growth of one second at most.
	since := min(now.Sub(l.grown), time.Second)
	if since >= 100*time.Millisecond {
		l.rate.SetLimit(l.rate.Limit() + rate.Limit(l.step()*since.Seconds()))
		l.grown = now
	}
}

// step is the additive increase in a second, in requests a second.
func (l *Limiter) step() float64 {
	if now := float64(l.rate.Limit()); now < near*l.refusal {
		return max(1, now*growth)
	}
	return max(0.1, slowGrowth*l.refusal)
}

// lastSecond is how many requests were accepted in the last second.
func (l *Limiter) lastSecond(now time.Time) int {
	for len(l.accepts) > 0 && now.Sub(l.accepts[0]) >= time.Second {
		l.accepts = l.accepts[1:]
	}
	return len(l.accepts)
}
