package kube

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// guard stands before the network: nothing but GET passes it, and only to the
// cluster. What credentials it sees pass, it keeps out of errors.
type guard struct {
	host, scheme string

	mu      sync.Mutex
	secrets []string
	below   http.RoundTripper
}

func newGuard(base *url.URL, config *rest.Config) *guard {
	g := &guard{host: base.Host, scheme: base.Scheme}
	g.know(config.BearerToken)
	g.know(config.Password)
	return g
}

// wrap puts the guard before a transport, below what adds the credentials.
func (g *guard) wrap(below http.RoundTripper) http.RoundTripper {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.below = below
	return g
}

// RoundTrip sends what may be sent.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.Host != g.host || req.URL.Scheme != g.scheme {
		return nil, fmt.Errorf("%s to %s is not for this connection", req.Method, req.URL.Host)
	}
	g.mu.Lock()
	below := g.below
	g.mu.Unlock()
	if _, token, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		g.know(token)
	}
	return below.RoundTrip(req)
}

// close ends the connections that are not in use.
func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	below := g.below
	for {
		if idle, ok := below.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
			return
		}
		wrapper, ok := below.(interface{ WrappedRoundTripper() http.RoundTripper })
		if !ok {
			return
		}
		below = wrapper.WrappedRoundTripper()
	}
}

// leastSecret is the length, in bytes, below which a word is no secret worth
// taking out of a text: it would take out other words too.
const leastSecret = 6

// know remembers a secret.
func (g *guard) know(secret string) {
	secret = strings.TrimSpace(secret)
	if len(secret) < leastSecret {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, known := range g.secrets {
		if known == secret {
			return
		}
	}
	g.secrets = append(g.secrets, secret)
}

// maxShown bounds what is shown of a text that the cluster or its tools wrote, in
// bytes.
const maxShown = 500

// hide is a text for people: one line, not for pages, without secrets.
func (g *guard) hide(text string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, secret := range g.secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}
