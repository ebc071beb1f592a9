// Package oci connects to the data plane of the registry: to what clients pull from and
// push to. Its nouns are the Plane and the Connection to one repository.
//
// It must never send the login of the account to a host that is neither the registry's
// nor the provider's, or anything but GET and HEAD over a plane that only reads.
package oci

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/internal/stall"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Options are how to reach the data plane.
type Options struct {
	// URL is the address of the registry, with {region} in place of the region; required.
	URL string
	// Password is the password of the account: the secret key of the API; "" does not log in.
	Password  string
	UserAgent string
	// Base sends the requests; nil opens new connections.
	Base http.RoundTripper
}

// user is what every client of the provider logs in as.
const user = "nologin"

// maxBlobs is how many blobs are read at once. The library reads four, with which small
// blobs pass at a rate that the latency bounds.
const maxBlobs = 64

// Plane is the data plane of every region. It is safe for concurrent use, and logs in
// once for each repository.
type Plane struct {
	o     Options
	allow func(method string) bool

	mu      sync.Mutex
	regions map[registry.Region]*regional
}

// regional is what the repositories of a region share.
type regional struct {
	host   string
	naming []name.Option
	puller *remote.Puller
	pusher *remote.Pusher
}

// NewReader is a plane that only reads.
func NewReader(o Options) *Plane {
	return newPlane(o, func(method string) bool { return method == http.MethodGet || method == http.MethodHead })
}

// NewWriter is a plane that also pushes. It deletes nothing.
func NewWriter(o Options) *Plane {
	return newPlane(o, func(method string) bool { return method != http.MethodDelete })
}

func newPlane(o Options, allow func(string) bool) *Plane {
	if o.Base == nil {
		o.Base = stall.Connections()
	}
	o.Base = noFallback{patient(o.Base)}
	return &Plane{o: o, allow: allow, regions: map[registry.Region]*regional{}}
}

// Connection is one repository, and how to read it and write to it.
type Connection struct {
	Repository name.Repository
	Puller     *remote.Puller
	Pusher     *remote.Pusher
}

// Connect returns how to reach the repository of an image. It sends no request.
func (p *Plane) Connect(image registry.Ref) (Connection, error) {
	r, err := p.region(image.Region)
	if err != nil {
		return Connection{}, err
	}
	repository, err := name.NewRepository(r.host+"/"+image.Namespace+"/"+image.Image, r.naming...)
	if err != nil {
		return Connection{}, fmt.Errorf("%s has no name that clients can pull: %w", image, err)
	}
	return Connection{repository, r.puller, r.pusher}, nil
}

func (p *Plane) region(region registry.Region) (*regional, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.regions[region]; r != nil {
		return r, nil
	}
	address, err := url.Parse(strings.ReplaceAll(p.o.URL, "{region}", string(region)))
	if err != nil || address.Host == "" {
		return nil, errors.New("the address of the registry is malformed: correct scaleway.registry_url")
	}
	r := &regional{host: address.Host, naming: []name.Option{name.StrictValidation}}
	if address.Scheme == "http" {
		r.naming = append(r.naming, name.Insecure)
	}
	login := authn.Anonymous
	if p.o.Password != "" {
		login = &authn.Basic{Username: user, Password: p.o.Password}
	}
	options := []remote.Option{
		remote.WithAuth(login),
		remote.WithTransport(&guard{next: p.o.Base, host: address.Host, allow: p.allow}),
		remote.WithUserAgent(p.o.UserAgent),
		remote.WithJobs(maxBlobs),
	}
	r.puller, err = remote.NewPuller(options...)
	if err != nil {
		return nil, err
	}
	if r.pusher, err = remote.NewPusher(options...); err != nil {
		return nil, err
	}
	p.regions[region] = r
	return r, nil
}

// guard refuses a request before anything is sent, unless it is allowed. It checks the
// request itself, so that no code path can bypass it.
type guard struct {
	next  http.RoundTripper
	host  string // of the registry
	allow func(method string) bool
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _, login := r.BasicAuth()
	var err error
	switch {
	case !g.allow(r.Method):
		err = fmt.Errorf("refused to send a %s to %s: this client is not allowed to", r.Method, r.URL.Host)
	case login && r.URL.Host != g.host && !isProvider(r.URL):
		err = fmt.Errorf("refused to log in at %s, which the registry %s names: it belongs to neither the registry nor the provider", r.URL.Host, g.host)
	}
	if err == nil {
		return g.next.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close() // a RoundTripper must close it
	}
	return nil, err
}

// isProvider reports whether a host is the API or a registry of the provider, over TLS.
// Customers have hosts below its names too.
func isProvider(u *url.URL) bool {
	return u.Scheme == "https" && (u.Host == "api.scaleway.com" || provider.MatchString(u.Host))
}
