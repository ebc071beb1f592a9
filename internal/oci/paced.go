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
		if try == maxRefusals || !canRepeat(r) {
			return resp, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
		_ = resp.Body.Close()
		if r, err = fresh(r); err != nil {
			return nil, err
		}
	}
}

// canRepeat reports whether a request can be sent again: it deletes nothing, and its body
// can be read again.
func canRepeat(r *http.Request) bool {
	return r.Method != http.MethodDelete && (r.Body == nil || r.Body == http.NoBody || r.GetBody != nil)
}

// fresh is a request as it was before it was sent.
func fresh(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	return again, nil
}
