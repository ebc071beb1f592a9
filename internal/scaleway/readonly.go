package scaleway

import (
	"fmt"
	"net/http"
)

// readOnly is what makes a dry run one: it refuses, before anything is sent,
// every request that is not a GET to the API host. It looks at the request
// itself, so no code path can get around it.
type readOnly struct {
	next http.RoundTripper
	host string // the API host; the secret key goes nowhere else
}

func (t *readOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet && req.URL.Host == t.host {
		return t.next.RoundTrip(req)
	}
	if req.Body != nil {
		_ = req.Body.Close() // a RoundTripper must, and nothing was read from it
	}
	if req.Method != http.MethodGet {
		return nil, fmt.Errorf("refused to send a %s: this client only reads", req.Method)
	}
	return nil, fmt.Errorf("refused to send a request to %s: this client talks to %s only", req.URL.Host, t.host)
}
