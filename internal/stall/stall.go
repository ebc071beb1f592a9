// Package stall ends HTTP requests on which nothing moves any more, however long they may
// take while something does. Its only noun is the Transport.
//
// It must never count the time that the caller takes between two reads, or that the source
// of a request's body takes: a limit of the bandwidth makes both long.
package stall

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Limit is how long a request may stand still, and LongLimit how long the other side may
// work on what it was sent, such as gigabytes that it hashes, before it answers.
const (
	Limit     = time.Minute
	LongLimit = 10 * time.Minute
)

// Transport sends requests through Base. It ends a request with an Error if the other side
// neither takes nor sends anything for Limit, or LongLimit.
type Transport struct {
	Base http.RoundTripper
}

// Connections are new connections, of which as many are kept as requests may be sent to one
// host at once.
func Connections() *http.Transport {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConns, base.MaxIdleConnsPerHost = 0, idle
	return base
}

// idle is how many connections to one host may wait for the next request.
const idle = 128

// Error says which host stood still.
type Error struct {
	Host string
}

// Error says it in words.
func (e *Error) Error() string {
	return e.Host + " stopped: for a minute it took and sent nothing, or for ten it did not answer"
}

// Temporary reports that another try may succeed: clients of HTTP ask their errors for it.
func (*Error) Temporary() bool { return true }

// RoundTrip sends one request.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	stalled := &Error{r.URL.Host}
	end := func() { cancel(stalled) }
	w := &watch{ctx: ctx, cancel: cancel, timer: time.AfterFunc(toAnswer(r), end)}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sending{r.Body, w}
	}
	if again := r.GetBody; again != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			return &sending{body, w}, err
		}
	}
	resp, err := t.Base.RoundTrip(r)
	w.answered.Store(true)
	w.timer.Stop()
	if err != nil {
		err = w.explain(err)
		cancel(nil)
		return nil, err
	}
	w = &watch{ctx: ctx, cancel: cancel, timer: time.AfterFunc(Limit, end)}
	w.timer.Stop()
	resp.Body = &receiving{resp.Body, w}
	return resp, nil
}

// toAnswer is how long the other side may take before it answers, or takes the first of a
// body.
func toAnswer(r *http.Request) time.Duration {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads || r.Body != nil && r.Body != http.NoBody {
		return Limit
	}
	return LongLimit
}

// watch ends the request if its timer fires, which runs while the other side has to act.
type watch struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	answered atomic.Bool // the rest of a request's body may be read even then
}

// explain replaces what followed from the end of the request by its cause.
func (w *watch) explain(err error) error {
	if stalled := new(Error); errors.As(context.Cause(w.ctx), &stalled) {
		return stalled
	}
	return err
}

// sending is the body of a request: between two reads, the other side takes what was read.
type sending struct {
	io.ReadCloser
	*watch
}

func (s *sending) Read(p []byte) (int, error) {
	s.timer.Stop()
	n, err := s.ReadCloser.Read(p)
	limit := Limit
	if err != nil { // all is sent
		limit = LongLimit
	}
	if s.timer.Reset(limit); s.answered.Load() {
		s.timer.Stop()
	}
	return n, err
}

// receiving is the body of an answer: during a read, the other side sends.
type receiving struct {
	io.ReadCloser
	*watch
}

func (r *receiving) Read(p []byte) (int, error) {
	r.timer.Reset(Limit)
	n, err := r.ReadCloser.Read(p)
	r.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.explain(err)
	}
	return n, err
}

func (r *receiving) Close() error {
	err := r.ReadCloser.Close()
	r.timer.Stop()
	r.cancel(nil)
	return err
}
