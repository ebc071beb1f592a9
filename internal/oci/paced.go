package oci

import (
	"io"
	"net/http"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/internal/retry"
	"github.com/registry-janitor/registry-janitor/internal/stall"
)

// paced keeps to the rate that each host accepts. Whoever answers 429 has done nothing, so
// the request is sent again.
type paced struct {
	next  http.RoundTripper
	hosts pace.Hosts
}

// patient sends requests as fast as hosts accept them, and for as long as something moves.
func patient(next http.RoundTripper) *paced { return &paced{next: &stall.Transport{Base: next}} }

// maxRefusals is how often one request may be answered by a 429; the library then tries again, twice.
const maxRefusals = 5

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	host := p.hosts.Host(r.URL.Host)
	for try := 1; ; try++ {
		if err := host.Wait(r.Context()); err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // a RoundTripper must close it
			}
			return nil, err
		}
		sent := clock.Now()
		resp, err := p.next.RoundTrip(r)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode != http.StatusTooManyRequests:
			host.Accepted(sent, clock.Now())
			return resp, nil
		}
		host.Refused(sent, clock.Now(), retry.After(resp.Header, clock.Now()))
		again, ok := fresh(r)
		if !ok || try == maxRefusals {
			return resp, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
		_ = resp.Body.Close()
		r = again
	}
}

// fresh is a request as it was before it was sent; false if its body cannot be read again,
// or if it deletes.
func fresh(r *http.Request) (*http.Request, bool) {
	switch {
	case r.Method == http.MethodDelete:
		return nil, false
	case r.Body == nil || r.Body == http.NoBody:
		return r, true
	case r.GetBody == nil:
		return nil, false
	}
	body, err := r.GetBody()
	again := r.Clone(r.Context())
	again.Body = body
	return again, err == nil
}
