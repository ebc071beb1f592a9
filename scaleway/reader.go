package scaleway

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Options say how to read. The zero value reads with the credentials of the
// environment and the config file.
type Options struct {
	// Profile of the Scaleway config file; "" leaves the choice to SCW_PROFILE and
	// the file.
	Profile string
	// Credentials are used instead of the environment and the config file; nil
	// reads those.
	Credentials *Credentials
	// Concurrency is how many requests may be in flight to one API host; 16 when
	// it is not positive.
	Concurrency int
	// UserAgent names the program, after the SDK's own user agent.
	UserAgent string
	// RequestTimeout bounds one request, from sending it to the end of its answer;
	// 30 s when it is not positive. Waiting for a turn is not part of it.
	RequestTimeout time.Duration
	// Base sends the requests; nil is a transport of its own. Settings of the
	// profile about TLS apply to that one only.
	Base http.RoundTripper
	// Observer wraps Base, so that it sees every single attempt; may be nil. It
	// must not keep or log headers: they hold the secret key.
	Observer func(http.RoundTripper) http.RoundTripper
	// Logger takes warnings about credentials, and retries at the debug level; nil
	// discards them.
	Logger *slog.Logger
	// Now is the local clock, compared with the Date header of the API; nil is the
	// system's.
	Now func() time.Time
}

// Reader reads namespaces, images and tags. It is safe for concurrent use, and
// keeps what it has learned about the API's rate limit: make one and keep it.
type Reader struct {
	api         *sdk.API
	concurrency int
	skew        *clockSkew
	redact      *redactor
}

// NewReader finds the credentials and makes a Reader. Its errors say what to do
// about missing or malformed ones, and never quote them. It sends nothing.
func NewReader(o Options) (*Reader, error) {
	o = o.withDefaults()
	creds, err := o.credentials()
	if err != nil {
		return nil, err
	}
	r := &Reader{
		concurrency: o.Concurrency,
		skew:        &clockSkew{now: o.Now},
		redact:      newRedactor(creds.secretKey),
	}
	userAgent := o.UserAgent
	if userAgent == "" {
		userAgent = creds.userAgent
	}
	client, err := scw.NewClient(
		scw.WithAuth(creds.accessKey, creds.secretKey),
		scw.WithAPIURL(creds.apiURL),
		scw.WithUserAgent(userAgent),
		scw.WithHTTPClient(&doer{http.Client{Transport: r.transport(o, creds), CheckRedirect: noRedirects}}),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the Scaleway client: %s", r.redact.text(plain(err)))
	}
	r.api = sdk.NewAPI(client)
	return r, nil
}

// Skew returns the largest difference seen between the Date header of an answer
// and the local clock, never negative and in whole seconds, and whether any
// answer had such a header. The time an answer took to arrive is part of it.
func (r *Reader) Skew() (time.Duration, bool) { return r.skew.seen() }

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = monotonic
	}
	return o
}

// transport builds the chain that the package comment describes.
func (r *Reader) transport(o Options, creds *credentials) http.RoundTripper {
	base := o.Base
	if base == nil {
		base = newBase(o.Concurrency, creds.insecure)
	}
	if o.Observer != nil {
		base = o.Observer(base)
	}
	tries := newPacer(&attempt{next: base, timeout: o.RequestTimeout, skew: r.skew, redact: r.redact}, o.Concurrency)
	return &readOnly{host: creds.apiHost, next: newRetrier(tries, o.Logger)}
}

// newBase is http.DefaultTransport with as many idle connections to one host as
// there may be requests in flight; the default of two would open a connection
// for nearly every request.
func newBase(concurrency int, insecure bool) *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        4 * concurrency,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: insecure}, // as SCW_INSECURE asks
	}
}

// doer hides the http.Client from the SDK, which, given one, would wrap its
// transport to dump every request and answer when SCW_DEBUG is set.
type doer struct{ client http.Client }

func (d *doer) Do(req *http.Request) (*http.Response, error) { return d.client.Do(req) }
