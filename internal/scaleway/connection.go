package scaleway

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// connection is the way to the API that clients share: its credentials, and the
// lower part of the chain that the package comment describes.
type connection struct {
	o      Options
	creds  *credentials
	skew   *clockSkew
	redact *redactor
	tries  *pacer
}

func connect(o Options) (*connection, error) {
	o = o.withDefaults()
	creds, err := o.credentials()
	if err != nil {
		return nil, err
	}
	c := &connection{o: o, creds: creds, skew: &clockSkew{now: o.Now}, redact: newRedactor(creds.secretKey)}
	base := o.Base
	if base == nil {
		base = newBase(o.Concurrency, creds.insecure)
	}
	if o.Observer != nil {
		base = o.Observer(base)
	}
	c.tries = newPacer(&attempt{next: base, timeout: o.RequestTimeout, skew: c.skew, redact: c.redact}, o.Concurrency, o.Waited)
	return c, nil
}

// reader makes a client that only reads. kinds says what its errors wrap.
func (c *connection) reader(kinds func(error) []error) (*Reader, error) {
	client, err := c.client(&readOnly{host: c.creds.apiHost, next: newRetrier(c.tries, c.o.Logger, c.o.Retried)})
	if err != nil {
		return nil, err
	}
	return &Reader{api: sdk.NewAPI(client), client: client, concurrency: c.o.Concurrency, skew: c.skew, redact: c.redact, kinds: kinds}, nil
}

// client makes an SDK client over a transport.
func (c *connection) client(transport http.RoundTripper) (*scw.Client, error) {
	userAgent := c.o.UserAgent
	if userAgent == "" {
		userAgent = c.creds.userAgent
	}
	client, err := scw.NewClient(
		scw.WithAuth(c.creds.accessKey, c.creds.secretKey),
		scw.WithAPIURL(c.creds.apiURL),
		scw.WithUserAgent(userAgent),
		scw.WithHTTPClient(&doer{http.Client{Transport: transport, CheckRedirect: noRedirects}}),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the Scaleway client: %s", c.redact.text(plain(err)))
	}
	return client, nil
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
