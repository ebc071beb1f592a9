package apply

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
)

// What applying may cost, in calls for each deletion and in multiples of the time
// that the deletions alone take. The time is that of the bubble, so the figures do
// not depend on the machine.
func TestWhatApplyingCosts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		world    string
		deleted  int
		calls    float64       // for each deletion, at most
		least    time.Duration // that the deletions alone take
		slowdown float64       // at most; 0 is not limited
	}{
		{"90 of 100 tags in each of 20 images", images(20, 90, 10, "latency: 20ms"), 1800, 1.10, 1800 * 20 * time.Millisecond / 16, 1.35},
		{"9,000 of 10,000 tags in one image", images(1, 9000, 1000, "latency: 20ms"), 9000, 1.35, 0, 0},
		{"one tag in each of 200 images", images(200, 1, 10, "latency: 20ms"), 200, 4, 200 * 4 * 20 * time.Millisecond / 16, 2},
		{"90 of 100 tags in each of 20 images, and 100 requests a second", images(20, 90, 10, "latency: 20ms, rate_limit: 100"), 1800, 1.15, 18 * time.Second, 1.15},
		{"three of 10,000 tags in one image", images(1, 3, 9997, "latency: 20ms"), 3, 110, 0, 0},
		{"90 of 100 tags that are deleted slowly in each of 20 images", images(20, 90, 10, "latency: 20ms, delete_delay: 1s"), 1800, 1.10, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, tt.world)
				p := s.markTags(plan.Options{})
				time.Sleep(time.Minute)
				before, began := len(s.server.Requests()), time.Now()
				o, err := Apply(t.Context(), p, s.environment(newMemoryJournal(t)), Options{})
				if err != nil || o.Done != tt.deleted {
					t.Fatal(err, o.Done)
				}
				took, calls := time.Since(began), float64(len(s.server.Requests())-before)/float64(tt.deleted)
				t.Logf("%.3f calls for each deletion, %s", calls, took)
				if calls > tt.calls {
					t.Errorf("%.3f calls for each deletion, at most %.2f are allowed", calls, tt.calls)
				}
				if ratio := float64(took) / float64(tt.least); tt.slowdown > 0 {
					t.Logf("%.3f times as long as the deletions alone", ratio)
					if ratio > tt.slowdown {
						t.Errorf("%s is %.2f times as long as the deletions alone, at most %.2f are allowed", took, ratio, tt.slowdown)
					}
				}
			})
		})
	}
}

// images is a registry of so many images, with tags that are deleted and tags that
// are kept.
func images(count, deleted, kept int, settings string) string {
	return fmt.Sprintf(`{settings: {%s}, namespaces: [{name: prod, age: 400d, images: [{name: "api-{n}", count: %d, tags: [
		{name: "pr-{n}", count: %d, age: 20d}, {name: "v{n}", count: %d, age: 20d}]}]}]}`, settings, count, deleted, kept)
}
