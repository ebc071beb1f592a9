package content

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARegistryThatFailsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := http.StatusServiceUnavailable
		r, err := NewReader(Options{URL: "https://rg.example.com", APIURL: "https://api.example.com", Base: roundTrip(func(req *http.Request) (*http.Response, error) {
			code := status
			if req.URL.Path == "/v2/" {
				code = http.StatusOK
			}
			return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		read := func() map[string]bool {
			var digests []string
			for i := range 500 {
				digests = append(digests, fmt.Sprintf("sha256:%064x", i))
			}
			_, unread := r.Read(t.Context(), registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, digests)
			reasons := map[string]bool{}
			for digest, why := range unread {
				reasons[strings.Replace(why, digest, "", 1)] = true
			}
			return reasons
		}
		start := time.Now()
		reasons := read()
		if calls := r.Counts().Calls; len(reasons) != 1 || calls > 200 || time.Since(start) > time.Minute {
			t.Errorf("%d calls in %s: %v", calls, time.Since(start), reasons)
		}
		status = http.StatusNotFound
		time.Sleep(rest)
		before := r.Counts().Calls
		if reasons := read(); r.Counts().Calls-before != 500 || len(reasons) != 1 {
			t.Errorf("after the rest: %d calls: %v", r.Counts().Calls-before, reasons)
		}
	})
}
