package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// host is the registry of one region.
type host struct {
	registry name.Registry
	auth     authn.Authenticator
	chain    http.RoundTripper
	breaker  breaker

	mu        sync.Mutex
	challenge *transport.Challenge // nil until it is known
	sources   map[string]*source
}

func newHost(o Options, region registry.Region, chain http.RoundTripper) (*host, error) {
	address := strings.ReplaceAll(o.URL, "{region}", string(region))
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("the address of the registry is malformed: want https://<host>, not %q", address)
	}
	reg, err := name.NewRegistry(u.Host)
	if err != nil {
		return nil, fmt.Errorf("the address of the registry: %w", err)
	}
	api, err := url.Parse(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("the address of the API: %w", err)
	}
	return &host{
		registry: reg,
		auth:     authn.FromConfig(authn.AuthConfig{Username: userName, Password: o.SecretKey}),
		chain:    &guard{next: chain, registry: u, api: api, userAgent: o.UserAgent},
		sources:  map[string]*source{},
	}, nil
}

// userName is sent with the secret key. The registry takes any.
const userName = "nologin"

// source is the repository of one image, with its login.
type source struct {
	host       *host
	repository name.Repository

	mu      sync.Mutex
	login   http.RoundTripper // nil until the first request
	renewed time.Time         // when the login must be made again; zero: never
	denied  error             // why there is none; another try would not help
}

func (h *host) source(repository string) (*source, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sources[repository]; s != nil {
		return s, nil
	}
	repo, err := name.NewRepository(h.registry.RegistryStr()+"/"+repository, name.StrictValidation)
	if err != nil {
		return nil, fmt.Errorf("its name is not one of a repository: %w", err)
	}
	s := &source{host: h, repository: repo}
	h.sources[repository] = s
	return s, nil
}

// manifest reads the manifest or index of a digest.
func (s *source) manifest(ctx context.Context, digest string) (*manifest, error) {
	ref, err := name.NewDigest(s.repository.Name()+"@"+digest, name.StrictValidation)
	if err != nil {
		return nil, &terminalError{fmt.Errorf("%q is not a digest that can be checked", digest)}
	}
	var got *remote.Descriptor
	err = s.send(ctx, func(options ...remote.Option) (err error) {
		got, err = remote.Get(ref, options...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return parseManifest(got.Manifest, string(got.MediaType))
}

// config reads the config of an image.
func (s *source) config(ctx context.Context, d descriptor) (*config, error) {
	hash, err := v1.NewHash(d.Digest)
	switch {
	case err != nil:
		return nil, &terminalError{fmt.Errorf("its config has no digest that can be checked: %q", d.Digest)}
	case d.Size > maxConfig:
		return nil, &terminalError{fmt.Errorf("its config has %d MiB, which is more than %d MiB", d.Size>>20, maxConfig>>20)}
	}
	var body []byte
	err = s.send(ctx, func(options ...remote.Option) error {
		blob, err := remote.Layer(s.repository.Digest(hash.String()), options...)
		if err != nil {
			return err
		}
		stream, err := blob.Compressed() // as it is, and checked against the digest
		if err != nil {
			return err
		}
		defer stream.Close()
		body, err = io.ReadAll(stream)
		return err
	})
	if err != nil {
		return nil, err
	}
	return parseConfig(body)
}

// send sends a request with the token of the repository, and once again with a new one if
// it is refused: the library renews it too, but asks for the repository only if the
// registry tells it to.
func (s *source) send(ctx context.Context, request func(...remote.Option) error) error {
	for try := 1; ; try++ {
		login, err := s.loggedIn(ctx)
		if err != nil {
			return err
		}
		err = request(remote.WithContext(ctx), remote.WithTransport(login))
		var answered *transport.Error
		if try == 1 && errors.As(err, &answered) && answered.StatusCode == http.StatusUnauthorized {
			s.logOut(login)
			continue
		}
		if ctx.Err() == nil {
			s.host.breaker.note(err)
		}
		return err
	}
}

// logOut forgets a login, unless there is a newer one already.
func (s *source) logOut(login http.RoundTripper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.login == login {
		s.login = nil
	}
}

// early is how long before its end a token is renewed.
const early = 10 * time.Second

// loggedIn returns the transport that sends the token of the repository. The requests of a
// repository share one token.
func (s *source) loggedIn(ctx context.Context) (_ http.RoundTripper, err error) {
	if err := s.host.breaker.open(); err != nil {
		return nil, err
	}
	challenge, err := s.host.challenged(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.denied != nil {
		return nil, s.denied
	}
	if s.login != nil && (s.renewed.IsZero() || clock.Now().Before(s.renewed)) {
		return s.login, nil
	}
	token := new(transport.Token)
	auth := s.host.auth
	switch strings.ToLower(challenge.Scheme) {
	case "bearer":
		token, err = transport.Exchange(ctx, s.host.registry, auth, s.host.chain, []string{s.repository.Scope(transport.PullScope)}, challenge)
		if err != nil {
			return nil, s.refused(ctx, &tokenError{err})
		}
		token.Token = cmp.Or(token.Token, token.AccessToken)
	case "": // the registry does not ask for a key, and does not get it
		auth = authn.Anonymous
	}
	if s.login, err = transport.FromToken(s.host.registry, auth, s.host.chain, challenge, token); err != nil {
		return nil, err
	}
	s.renewed = time.Time{}
	if token.ExpiresIn > 0 {
		s.renewed = clock.Now().Add(max(time.Duration(token.ExpiresIn)*time.Second-early, time.Second))
	}
	return s.login, nil
}

// refused notes that there is no token, and keeps the error if another try cannot help.
func (s *source) refused(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		s.host.breaker.note(err)
		if !passing(err) {
			s.denied = err
		}
	}
	return err
}

// challenged asks the registry once what it wants for a login.
func (h *host) challenged(ctx context.Context) (*transport.Challenge, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.challenge != nil {
		return h.challenge, nil
	}
	if err := h.breaker.open(); err != nil { // others have tried meanwhile
		return nil, err
	}
	challenge, err := transport.Ping(ctx, h.registry, h.chain)
	if err != nil {
		err = fmt.Errorf("ask the registry how to log in: %w", err)
		h.breaker.note(err)
		return nil, err
	}
	h.challenge = challenge
	return challenge, nil
}
