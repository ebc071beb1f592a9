package scaleway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The figures of adaptiveLimiter. The API publishes no limit and sends no
// Retry-After with its 429; roughly 60 to 200 requests in one second have been
// seen to cause one.
const (
	slowest      = 5.0 // requests a second: polite, and yet it ends some day
	cutTo        = 0.7 // of the rate that was too much
	growth       = 0.05
	shortestHold = 500 * time.Millisecond
	longestHold  = 2 * time.Second // when the host does not say how long
	liftAfter    = time.Minute
	// maxHold is the longest Retry-After that is waited for. A longer one fails
	// the calls instead: a scan that hangs for an hour helps nobody.
	maxHold = time.Minute
)

// adaptiveLimiter is the request rate of one host, by additive increase and
// multiplicative decrease. There is no limit until the first 429. That one cuts
// the rate below what the host accepted during the last second, and holds all
// requests back for a moment; then the rate grows by a twentieth of itself each
// second, until the next 429 cuts it again, or a minute without one lifts it.
// The zero value is ready to use.
type adaptiveLimiter struct {
	mu      sync.Mutex
	rate    *rate.Limiter // nil: no limit
	step    float64       // additive increase, in requests a second each second
	held    time.Time     // nothing is sent before
	cut     time.Time     // the last decrease
	grown   time.Time     // the last increase
	streak  int           // decreases since a request was last accepted
	accepts acceptCount
}

// wait returns when a request may be sent.
func (l *adaptiveLimiter) wait(ctx context.Context) error {
	for {
		l.mu.Lock()
		hold, limit := l.held.Sub(monotonic()), l.rate
		l.mu.Unlock()
		switch {
		case hold > maxHold:
			return &terminalError{fmt.Errorf("429 Too Many Requests: the API asks to wait another %s", hold.Round(time.Second))}
		case hold > 0:
			if err := sleep(ctx, hold); err != nil {
				return err
			}
			continue
		case limit == nil:
			return nil
		}
		if err := limit.Wait(ctx); err != nil {
			return err
		}
		if !l.holds() {
			return nil
		}
	}
}

// holds says whether a hold began while a request waited for its turn.
func (l *adaptiveLimiter) holds() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held.After(monotonic())
}

// refused takes note of a 429. Requests that were on their way when the rate was
// last cut belong to the same mistake, and do not cut it again.
func (l *adaptiveLimiter) refused(sent, now time.Time, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hold := min(shortestHold<<min(l.streak, 8), longestHold)
	if retryAfter >= 0 {
		hold = retryAfter
		l.holdUntil(now.Add(hold))
	}
	if !sent.After(l.cut) {
		return
	}
	l.holdUntil(now.Add(hold))
	was := l.accepts.lastSecond(now)
	if l.rate != nil {
		was = float64(l.rate.Limit())
	}
	limit := max(slowest, was*cutTo)
	if l.rate == nil {
		l.rate = rate.NewLimiter(rate.Limit(limit), 1)
	} else {
		l.rate.SetLimit(rate.Limit(limit))
	}
	l.step = max(1, limit*growth)
	l.cut, l.grown = now, now
	l.streak++
}

func (l *adaptiveLimiter) holdUntil(t time.Time) {
	if t.After(l.held) {
		l.held = t
	}
}

// accepted takes note of any other answer.
func (l *adaptiveLimiter) accepted(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepts.add(now)
	l.streak = 0
	if l.rate == nil {
		return
	}
	if now.Sub(l.cut) >= liftAfter {
		l.rate = nil
		return
	}
	// A quiet time is no proof that a higher rate would have been accepted, so one
	// step is the most that it earns.
	since := min(now.Sub(l.grown), time.Second)
	if since >= 100*time.Millisecond {
		l.rate.SetLimit(l.rate.Limit() + rate.Limit(l.step*since.Seconds()))
		l.grown = now
	}
}

// acceptCount counts the accepted requests of the last second, by tenths.
type acceptCount struct {
	tenth  int64 // the current one, since the epoch
	counts [10]int
}

func (c *acceptCount) add(now time.Time) {
	c.advance(now)
	c.counts[c.tenth%10]++
}

func (c *acceptCount) lastSecond(now time.Time) float64 {
	c.advance(now)
	sum := 0
	for _, n := range c.counts {
		sum += n
	}
	return float64(sum)
}

func (c *acceptCount) advance(now time.Time) {
	tenth := now.UnixMilli() / 100
	if tenth-c.tenth >= 10 || tenth < c.tenth {
		c.counts = [10]int{}
		c.tenth = tenth
		return
	}
	for c.tenth < tenth {
		c.tenth++
		c.counts[c.tenth%10] = 0
	}
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
