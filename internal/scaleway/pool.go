package scaleway

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Pool has one transport for each endpoint. Clients that share a pool share its
// connections, so that a process that makes many clients does not gather idle ones.
// The zero value is ready to use.
type Pool struct {
	mu         sync.Mutex
	transports map[endpoint]*http.Transport
}

// endpoint is what the connections of a transport have in common.
type endpoint struct {
	url         string
	insecure    bool
	concurrency int
}

func (p *Pool) transport(e endpoint) *http.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.transports == nil {
		p.transports = map[endpoint]*http.Transport{}
	}
	if p.transports[e] == nil {
		p.transports[e] = newTransport(e)
	}
	return p.transports[e]
}

// newTransport is http.DefaultTransport, but keeps as many idle connections to one
// host as there may be requests in flight: for each call of the API, several to the data
// plane. With the default of two, nearly every request would open a new connection.
func newTransport(e endpoint) *http.Transport {
	idle := 8 * e.concurrency
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        4 * idle,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: e.insecure}, //nolint:gosec // G402: only if SCW_INSECURE is set, as in every Scaleway tool
	}
}
