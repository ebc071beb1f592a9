package kube

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// guard is the last transport before the network. It sends nothing but GET, and
// only to the cluster. It remembers the credentials that it sends, and hides them
// in errors.
type guard struct {
	host, scheme string
	next         http.RoundTripper
	hideMore     func(string) string

	mu      sync.Mutex
	secrets []string
}

func newGuard(base *url.URL, config *rest.Config, hideMore func(string) string) *guard {
	g := &guard{host: base.Host, scheme: base.Scheme, hideMore: hideMore}
	g.addSecret(config.BearerToken)
	g.addSecret(config.Password)
	return g
}

// wrap puts the guard before a transport, below the ones that add credentials.
func (g *guard) wrap(next http.RoundTripper) http.RoundTripper {
	g.next = next
	return g
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.URL.Host != g.host || req.URL.Scheme != g.scheme {
		return nil, fmt.Errorf("refused to send %s to %s: this client only reads, and only from %s", req.Method, req.URL.Host, g.host)
	}
	if _, token, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		g.addSecret(token)
	}
	return g.next.RoundTrip(req)
}

// close ends the connections that are not in use.
func (g *guard) close() { utilnet.CloseIdleConnectionsFor(g.next) }

// leastSecret is the shortest secret, in bytes, that is hidden. Hiding a shorter
// one would hide other words too.
const leastSecret = 6

func (g *guard) addSecret(secret string) {
	secret = strings.TrimSpace(secret)
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(secret) >= leastSecret && !slices.Contains(g.secrets, secret) {
		g.secrets = append(g.secrets, secret)
	}
}

// maxShown bounds the text of the cluster or its tools in an error, in characters.
const maxShown = 500

// redact makes a text fit for an error: one line, not too long, without secrets.
func (g *guard) redact(s string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, secret := range g.secrets {
		s = strings.ReplaceAll(s, secret, "…")
	}
	return text.Clip(strings.Join(strings.Fields(g.hideMore(s)), " "), maxShown)
}
