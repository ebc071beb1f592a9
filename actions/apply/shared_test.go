package apply

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Whatever the API does to a digest of which one tag is deleted, and whatever the
// operator has said that it does: what is reported is what is gone, and a tag
// that stays is lost only if the operator was wrong, and then no second one is.
func TestSharedDigests(t *testing.T) {
	for _, tt := range []struct {
		name, api string
		shared    actions.SharedDigest
		want      []string
		lost      []string
	}{
		{"protect, and the API refuses", "reject", actions.Protect, []string{"prod/api:pr-1 blocked", "prod/api:pr-2 blocked", "prod/api:pr-6 done"}, nil},
		{"protect, and the API untags", "untag", actions.Protect, []string{"prod/api:pr-1 done", "prod/api:pr-2 done", "prod/api:pr-6 done"}, nil},
		{"protect, and the API takes all", "cascade", actions.Protect, []string{"prod/api:pr-1 done", "prod/api:pr-2 gone", "prod/api:pr-6 done"}, nil},
		{"untag, and the API refuses", "reject", actions.Untag,
			[]string{"prod/api:pr-1 blocked", "prod/api:pr-2 blocked", "prod/api:pr-3 blocked", "prod/api:pr-4 blocked", "prod/api:pr-5 blocked", "prod/api:pr-6 done"}, nil},
		{"untag, and the API untags", "untag", actions.Untag,
			[]string{"prod/api:pr-1 done", "prod/api:pr-2 done", "prod/api:pr-3 done", "prod/api:pr-4 done", "prod/api:pr-5 done", "prod/api:pr-6 done"}, nil},
		{"untag, and the API takes all", "cascade", actions.Untag,
			[]string{"prod/api:pr-1 done", "prod/api:pr-2 gone", "prod/api:pr-3 done", "prod/api:pr-4 skipped", "prod/api:pr-5 skipped", "prod/api:pr-6 skipped"},
			[]string{"rg.fr-par.scw.cloud/prod/api:v1"}},
	} {
		for _, delay := range []string{"0s", "1500ms"} {
			for _, canary := range []int{-1, 5} {
				t.Run(fmt.Sprintf("%s, after %s, with a canary of %d", tt.name, delay, canary), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newSite(t, `{settings: {delete_delay: `+delay+`, shared_digest: `+tt.api+`}, namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [
							{name: pr-1, digest: A, age: 20d}, {name: pr-2, digest: A, age: 20d},
							{name: pr-3, digest: B, age: 20d}, {name: v1, digest: B, age: 20d},
							{name: pr-4, digest: C, age: 20d}, {name: pr-5, digest: C, age: 20d}, {name: v2, digest: C, age: 20d}, {name: v3, digest: C, age: 20d},
							{name: pr-6, age: 20d}, {name: latest, age: 1d}]}]}]}`)
						p := s.markTags(plan.Options{SharedDigest: tt.shared})
						o, err := s.audited(p, Options{SharedDigest: tt.shared, Canary: canary, Concurrency: 1})
						got := resultsOf(o)
						if diff := cmp.Diff(tt.want, got); diff != "" && (tt.lost == nil || canary > 0) {
							t.Errorf("(-want +got):\n%s", diff)
						}
						if canary < 0 {
							// Without a canary other deletions are on their way when the first loss shows.
							if (len(o.Lost) > 0) != (tt.lost != nil) {
								t.Errorf("lost %q", o.Lost)
							}
						} else if diff := cmp.Diff(tt.lost, o.Lost); diff != "" {
							t.Errorf("lost (-want +got):\n%s", diff)
						}
						if errors.Is(err, ErrLost) != (tt.lost != nil) || (o.Stopped != "") != (tt.lost != nil) || o.Incomplete() != (tt.lost != nil) {
							t.Errorf("error %v, stopped %q", err, o.Stopped)
						}
						for _, r := range o.Results {
							if r.Result == actions.ResultBlocked && !strings.Contains(r.Detail, "set shared_digest") && !strings.Contains(r.Detail, "is still there") {
								t.Errorf("%s: %s", r.Ref, r.Detail)
							}
						}
					})
				})
			}
		}
	}
}

// With every deletion that leaves a sibling behind, the operator's word is on
// trial: until it has held a few times they go one at a time, so that one tag is
// lost at most, however many deletions are under way.
func TestOneSiblingIsLostAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var images strings.Builder
		for i := range 40 {
			fmt.Fprintf(&images, "{name: b%d, tags: [{name: pr-1, digest: B%d, age: 20d}, {name: latest, digest: B%d, age: 1d}]}, ", i, i, i)
		}
		s := newSite(t, `{settings: {shared_digest: cascade, latency: 20ms}, namespaces: [{name: prod, age: 400d, images: [
			{name: a, tags: [{name: "pr-{n}", count: 20, age: 20d}, {name: latest, age: 1d}]}, `+images.String()+`]}]}`)
		p := s.markTags(plan.Options{SharedDigest: actions.Untag})
		o, err := s.audited(p, Options{SharedDigest: actions.Untag})
		if !errors.Is(err, ErrLost) || len(o.Lost) != 1 || o.Skipped < 39 {
			t.Errorf("%v: lost %q, skipped %d", err, o.Lost, o.Skipped)
		}
	})
}

func TestWhatMakesATagAnother(t *testing.T) {
	s := story(t).Steps[1]
	same := registry.Tag{ID: s.ID, Name: s.Tag, Digest: s.Digest, Status: registry.StatusReady, UpdatedAt: s.UpdatedAt}
	for _, tt := range []struct {
		name string
		edit func(*registry.Tag)
		want string
	}{
		{"nothing", func(*registry.Tag) {}, ""},
		{"its digest alone", func(t *registry.Tag) { t.Digest = digestOf("f") }, "it has another digest now"},
		{"its time alone", func(t *registry.Tag) { t.UpdatedAt = t.UpdatedAt.Add(time.Microsecond) }, "it was updated at"},
		{"its name alone", func(t *registry.Tag) { t.Name = "latest" }, "it is named latest now"},
		{"its status", func(t *registry.Tag) { t.Status = "locked" }, "its status is locked"},
		{"an unknown status", func(t *registry.Tag) { t.Status = "new" }, "its status is new"},
		{"no status", func(t *registry.Tag) { t.Status = "" }, "its status is missing"},
		{"its deletion", func(t *registry.Tag) { t.Status = registry.StatusDeleting }, "it is being deleted already"},
	} {
		tag := same
		tt.edit(&tag)
		if got := s.Difference(tag); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
