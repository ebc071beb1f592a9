package scaleway

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/pace"
	"github.com/registry-janitor/registry-janitor/registry"
)

// While a request is tried again, Traffic names what it reads.
func TestTrafficNamesWhatIsTriedAgain(t *testing.T) {
	ref := registry.Ref{Region: testRegion, Namespace: "prod", Image: "api"}
	for _, tt := range []struct {
		name  string
		about registry.Ref
		want  []string
	}{
		{"an image that is known", ref, []string{"page 1 of prod/api, 2/5", "page 1 of prod/api, 3/5", "page 1 of prod/api, 4/5", "page 1 of prod/api, 5/5"}},
		{"an image that is not", registry.Ref{}, []string{"page 1 of the tags of an image in fr-par, 2/5", "page 1 of the tags of an image in fr-par, 3/5", "page 1 of the tags of an image in fr-par, 4/5", "page 1 of the tags of an image in fr-par, 5/5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var traffic Traffic
			var seen []string
			fault := status(503, "")
			r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				if now := traffic.Now(); now.Retrying != "" {
					seen = append(seen, now.Retrying)
				}
				return fault(req)
			}), func(o *Options) { o.Traffic = &traffic })
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.about != (registry.Ref{}) {
					ctx = registry.About(ctx, tt.about)
				}
				if _, err := r.Tags(ctx, testRegion, testImage); err == nil {
					t.Fatal("no error")
				}
			})
			if !slices.Equal(seen, tt.want) {
				t.Errorf("it showed %q, want %q", seen, tt.want)
			}
			if now := traffic.Now(); now != (Jam{Retries: 4}) {
				t.Errorf("afterwards it shows %+v", now)
			}
		})
	}
}

// The requests that the rate limit holds back are counted while it does.
func TestTrafficCountsWhatWaitsForTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var traffic Traffic
		p := &pacer{hosts: pace.Hosts{Concurrency: 3}, waited: func(time.Duration) {}, traffic: &traffic}
		h := p.hosts.Host("api.example")
		h.Refused(time.Now(), time.Now(), 10*time.Second)
		for range 3 {
			go func() { _ = p.enter(t.Context(), h) }()
		}
		time.Sleep(time.Second)
		if now := traffic.Now(); now != (Jam{Waiting: 3}) {
			t.Errorf("meanwhile it shows %+v", now)
		}
		time.Sleep(time.Minute)
		if now := traffic.Now(); now != (Jam{Waits: 3}) {
			t.Errorf("afterwards it shows %+v", now)
		}
	})
}

func TestWhatARequestReads(t *testing.T) {
	for url, want := range map[string]string{
		"/registry/v1/regions/fr-par/namespaces?page=2":                     "page 2 of the namespaces in fr-par",
		"/registry/v1/regions/fr-par/images?page=7&page_size=100":           "page 7 of the images in fr-par",
		"/registry/v1/regions/nl-ams/images/1234":                           "one of the images in nl-ams",
		"/registry/v1/regions/nl-ams/tags/1234":                             "one of the tags in nl-ams",
		"/serverless-jobs/v1alpha2/regions/fr-par/job-definitions?page=1":   "page 1 of the job definitions in fr-par",
		"/registry/v1/regions/fr-par/images/1234/tags?page=3&order_by=name": "page 3 of the tags of an image in fr-par",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example"+url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := subjectOf(req); got != want {
			t.Errorf("%s is %q, want %q", url, got, want)
		}
	}
}
