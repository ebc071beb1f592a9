package scaleway

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// timing is what a call and the transport share about time: when the
// oldest answer of the call was asked for, and until when it may be sent at all.
type timing struct {
	before time.Time // zero for a read, which may be written at any time

	mu   sync.Mutex
	sent time.Time
}

type timingKey struct{}

func withTiming(ctx context.Context, before time.Time) (context.Context, *timing) {
	t := &timing{before: before}
	return context.WithValue(ctx, timingKey{}, t), t
}

// first is when the oldest answer was asked for; the present when there is none.
func (t *timing) first() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent.IsZero() {
		return clock.Now()
	}
	return t.sent
}

// isLate reports whether a request must not be sent any more.
func isLate(ctx context.Context) bool {
	t, ok := ctx.Value(timingKey{}).(*timing)
	return ok && !t.before.IsZero() && !clock.Now().Before(t.before)
}

// noteAnswer notes when the request of an answer was written. Tries that failed do
// not count: what a call returns is as old as the answers it is made of.
func noteAnswer(ctx context.Context, sent time.Time) {
	t, ok := ctx.Value(timingKey{}).(*timing)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent.IsZero() || sent.Before(t.sent) {
		t.sent = sent
	}
}

// inTime sends a request, unless a connection for it takes so long that it would be
// written too late: then it is given up, unsent.
func inTime(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	t, ok := req.Context().Value(timingKey{}).(*timing)
	if !ok || t.before.IsZero() {
		return send(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context()) // ends with the context of the request
	var mu sync.Mutex
	var timer *time.Timer
	late, written := false, false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			mu.Lock()
			defer mu.Unlock()
			written = false // also when the transport starts over, having written nothing
			if timer != nil {
				timer.Stop()
			}
			timer = time.AfterFunc(t.before.Sub(clock.Now()), func() {
				mu.Lock()
				defer mu.Unlock()
				if late = !written; late {
					cancel(registry.ErrLate)
				}
			})
		},
		GotConn: func(httptrace.GotConnInfo) {
			mu.Lock()
			defer mu.Unlock()
			written = true
			timer.Stop()
		},
	})
	resp, err := send(req.WithContext(ctx))
	mu.Lock()
	defer mu.Unlock()
	if err != nil && late && !written {
		return nil, &unsentError{registry.ErrLate}
	}
	return resp, err
}
