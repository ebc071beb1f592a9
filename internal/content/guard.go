package content

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// guard refuses a request before anything is sent, unless it only reads, and has
// credentials only where they belong. It checks the request itself, so no challenge and no
// redirect can bypass it.
type guard struct {
	next          http.RoundTripper
	registry, api *url.URL
	userAgent     string
}

func (t *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.Clone(req.Context())
	if sent.URL.Host == t.registry.Host { // whatever scheme the library guesses
		sent.URL.Scheme = t.registry.Scheme
	}
	if t.userAgent != "" {
		sent.Header.Set("User-Agent", t.userAgent)
	}
	if err := t.check(sent); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper must close it
		}
		return nil, &terminalError{err}
	}
	return t.next.RoundTrip(sent)
}

func (t *guard) check(req *http.Request) error {
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	switch {
	case req.Method != http.MethodGet:
		return fmt.Errorf("refused to send a %s: this client only reads", req.Method)
	case req.URL.User != nil:
		return fmt.Errorf("refused to send a request to %s: its address has a user", req.URL.Host)
	case req.URL.Scheme != "https" && req.URL.Scheme != t.registry.Scheme:
		return fmt.Errorf("refused to send a request to %s: it is not https", req.URL.Host)
	case scheme == "", req.URL.Host == t.registry.Host && (req.Host == "" || req.Host == req.URL.Host):
		return nil
	case strings.EqualFold(scheme, "Basic") && t.mayLogIn(req.URL):
		return nil
	}
	return fmt.Errorf("refused to send the secret key to %s: it belongs neither to the registry %s nor to the API: check scaleway.registry_url", req.URL.Host, t.registry.Host)
}

// mayLogIn reports whether the secret key may be sent to an endpoint of tokens beside the
// registry: to the API, or over HTTPS to a host of the same owner. Another port of the same
// machine may have another owner. By the list of public suffixes, the
// machines and functions of customers below scw.cloud have other owners.
func (t *guard) mayLogIn(to *url.URL) bool {
	if to.Scheme == t.api.Scheme && to.Host == t.api.Host {
		return true
	}
	if to.Scheme != "https" || net.ParseIP(to.Hostname()) != nil {
		return false
	}
	owner, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(t.registry.Hostname()))
	if err != nil {
		return false
	}
	other, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(to.Hostname()))
	return err == nil && other == owner
}
