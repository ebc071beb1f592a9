package scaleway

import (
	"fmt"
	"net/http"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
)

// Credentials are the address of the API and an API key.
type Credentials = credentials.Credentials

// connection is what the clients share: the credentials, and the lower part of
// the chain that the package comment describes.
type connection struct {
	o      Options
	creds  *Credentials
	skew   *clockSkew
	redact *credentials.Redactor
	pacer  *pacer
	login  Login
}

func connect(o Options) (*connection, error) {
	o = o.withDefaults()
	creds, err := o.credentials()
	if err != nil {
		return nil, err
	}
	c := &connection{o: o, creds: creds, skew: &clockSkew{now: o.Now}, redact: credentials.NewRedactor(creds.SecretKey)}
	base := o.Base
	if base == nil {
		base = o.Pool.transport(endpoint{creds.APIURL, creds.Insecure, o.Concurrency})
	}
	c.login = Login{APIURL: creds.APIURL, SecretKey: creds.SecretKey, Base: base}
	if o.Observer != nil {
		base = o.Observer(base)
	}
	c.pacer = &pacer{
		next:  &attempt{next: base, timeout: o.RequestTimeout, skew: c.skew, redact: c.redact},
		hosts: pace.Hosts{Concurrency: o.Concurrency}, waited: o.Waited, traffic: o.Traffic,
	}
	return c, nil
}

// reader makes a client that only reads. kinds returns what an error of it wraps.
func (c *connection) reader(kinds func(error) []error) (*Reader, error) {
	client, err := c.client(&guard{host: c.creds.APIHost(), allow: readOnly, next: &retrier{next: c.pacer, pause: c.o.RetryPause, log: c.o.Logger, retried: c.o.Retried, traffic: c.o.Traffic}})
	if err != nil {
		return nil, err
	}
	return &Reader{api: sdk.NewAPI(client), client: client, login: c.login, concurrency: c.o.Concurrency, skew: c.skew, redact: c.redact, accessKey: c.creds.AccessKey, keySource: c.creds.Source, kinds: kinds}, nil
}

// credentials returns the given credentials, or those that every Scaleway tool finds.
func (o Options) credentials() (*Credentials, error) {
	if o.Credentials == nil {
		return credentials.Load(o.Profile, o.Logger)
	}
	return credentials.Given(*o.Credentials, o.Logger)
}

// client makes an SDK client over a transport.
func (c *connection) client(transport http.RoundTripper) (*scw.Client, error) {
	userAgent := c.o.UserAgent
	if userAgent == "" {
		userAgent = c.creds.UserAgent
	}
	client, err := scw.NewClient(
		scw.WithAuth(c.creds.AccessKey, c.creds.SecretKey),
		scw.WithAPIURL(c.creds.APIURL),
		scw.WithUserAgent(userAgent),
		scw.WithHTTPClient(&doer{http.Client{Transport: transport, CheckRedirect: noRedirects}}),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the Scaleway client: %s", c.redact.Text(plain(err)))
	}
	return client, nil
}

// doer hides the http.Client from the SDK. Otherwise the SDK wraps its transport,
// and dumps every request and answer when SCW_DEBUG is set.
type doer struct{ client http.Client }

func (d *doer) Do(req *http.Request) (*http.Response, error) { return d.client.Do(req) }

// noRedirects makes a client return a redirect instead of following it.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
