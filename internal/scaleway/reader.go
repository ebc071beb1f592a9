package scaleway

import (
	"log/slog"
	"net/http"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
)

// Options configure how to reach the API. The zero value uses the credentials of the
// environment and the config file.
type Options struct {
	// Profile of the Scaleway config file; "" leaves the choice to SCW_PROFILE and
	// the file.
	Profile string
	// Credentials are used instead of the environment and the config file; nil
	// reads those.
	Credentials *Credentials
	// Concurrency is how many requests may be in flight to one API host; 16 if it is not
	// positive.
	Concurrency int
	// UserAgent names the program, after the SDK's own user agent.
	UserAgent string
	// RequestTimeout bounds one request, from sending it to the end of its answer; 30 s
	// if it is not positive. Waiting for the rate limit is not part of it.
	RequestTimeout time.Duration
	// RetryPause is the longest pause before the second try of a read; 500 ms if it is not
	// positive. It doubles from try to try.
	RetryPause time.Duration
	// Base sends the requests; nil is a transport of Pool. The TLS settings of the
	// profile apply only to that one.
	Base http.RoundTripper
	// Pool has the transports of all clients of a process; nil is a new one.
	Pool *Pool
	// Observer wraps Base, so that it sees every attempt; may be nil. It must not keep
	// or log headers: they hold the secret key.
	Observer func(http.RoundTripper) http.RoundTripper
	// Waited is called with the time that the rate limit held a request back; may be
	// nil. Waiting for other requests in flight is not part of it.
	Waited func(time.Duration)
	// Retried is called before a GET is tried again, with its path and the status of
	// the last answer, 0 without one; may be nil. Several goroutines call it and Waited
	// at once, so they must not block.
	Retried func(path string, status int)
	// Traffic is kept up to date with what holds up the requests; may be nil.
	Traffic *Traffic
	// Logger takes warnings about credentials, and retries at the debug level; nil
	// discards them.
	Logger *slog.Logger
	// Now is the local clock, compared with the Date header of the API; nil is the
	// system's.
	Now func() time.Time
}

// Reader reads namespaces, images and tags. It is safe for concurrent use. Keep it:
// it remembers what it has learned about the rate limit of the API.
type Reader struct {
	api         *sdk.API
	client      *scw.Client // for the other APIs
	login       Login
	concurrency int
	skew        *clockSkew
	redact      *credentials.Redactor
	accessKey   string              // for errors
	keySource   string              // where the keys come from
	kinds       func(error) []error // the errors of package registry that an error wraps
}

// NewReader finds the credentials and makes a Reader. Its errors name what to do about
// missing or malformed credentials, and never quote them. It sends nothing.
func NewReader(o Options) (*Reader, error) {
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	return c.reader(sentinels)
}

// Skew returns the largest difference seen between the Date header of an answer and
// the local clock, and reports whether any answer had such a header. The difference is
// never negative, in whole seconds, and includes the time that the answer took.
func (r *Reader) Skew() (time.Duration, bool) { return r.skew.seen() }

// Undated reports whether any answer had no usable Date header.
func (r *Reader) Undated() bool { return r.skew.hasUndated() }

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.RetryPause <= 0 {
		o.RetryPause = 500 * time.Millisecond // four pauses take 3.75 to 7.5 seconds
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Waited == nil {
		o.Waited = func(time.Duration) {}
	}
	if o.Retried == nil {
		o.Retried = func(string, int) {}
	}
	if o.Traffic == nil {
		o.Traffic = new(Traffic)
	}
	if o.Now == nil {
		o.Now = clock.Now
	}
	if o.Pool == nil {
		o.Pool = new(Pool)
	}
	return o
}
