package scaleway

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// calls collects the calls of the hooks of Options.
type calls struct {
	mu      sync.Mutex
	waits   []time.Duration
	retried []int
	paths   map[string]bool
}

func (n *calls) hooks(o *Options) {
	n.paths = map[string]bool{}
	o.Waited = func(d time.Duration) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.waits = append(n.waits, d)
	}
	o.Retried = func(path string, status int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.retried = append(n.retried, status)
		n.paths[path] = true
	}
}

func TestRetriedIsCalledBeforeEveryRetry(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault roundTrip
		want  []int
	}{
		{"a passing fault of the API", status(503, ""), []int{503, 503, 503, 503}},
		{"an impossible answer", status(200, ""), []int{200, 200, 200, 200}},
		{"no answer", hang, []int{0, 0, 0, 0}},
		{"a reset connection", reset, []int{0, 0, 0, 0}},
		{"a fault that cannot pass", status(404, ""), nil},
		{"a wait that would be too long", status(503, "", "Retry-After", "120"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n calls
			r := newTestReader(t, tt.fault, n.hooks)
			synctest.Test(t, func(t *testing.T) {
				if _, err := r.Tags(t.Context(), testRegion, testImage); err == nil {
					t.Fatal("no error")
				}
			})
			if !slices.Equal(n.retried, tt.want) {
				t.Errorf("Retried got %v, want %v", n.retried, tt.want)
			}
			if tt.want != nil && (len(n.paths) != 1 || !n.paths["/registry/v1/regions/fr-par/images/"+testImage+"/tags"]) {
				t.Errorf("paths %v", n.paths)
			}
		})
	}
}

func TestWaitedIsCalledAfterEveryWaitForTheRateLimit(t *testing.T) {
	var n calls
	calls := 0
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if calls++; calls == 1 {
			return status(429, "", "Retry-After", "3")(req)
		}
		return answer(req, 200, tagsPage(1, 1)), nil
	}), n.hooks)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
			t.Fatal(err)
		}
		var sum time.Duration
		for _, d := range n.waits {
			sum += d
		}
		if took := time.Since(start); sum != took || sum < 3*time.Second {
			t.Errorf("Waited got %s, and it took %s", sum, took)
		}
	})
}

func TestWaitedIsNotCalledWithoutARateLimit(t *testing.T) {
	var n calls
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Second)
		return answer(req, 200, tagsPage(1, 1)), nil
	}), n.hooks, func(o *Options) { o.Concurrency = 1 })
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		for range 5 { // they wait for each other, not for the rate limit
			group.Go(func() {
				if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
	if len(n.waits) != 0 || len(n.retried) != 0 {
		t.Errorf("waits %v, retries %v", n.waits, n.retried)
	}
}
