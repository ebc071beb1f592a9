package apply

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// What the simulation has found, in its smallest form.
func TestWhatChangesBetweenTwoDeletions(t *testing.T) {
	images := `images: [{name: api, tags: [{name: pr-1, digest: A, age: 20d}, {name: pr-2, digest: A, age: 20d}, {name: latest, age: 1d}]}, {name: web, tags: [{name: v1, age: 20d}]}]`
	empty := `images: [{name: bare, age: 30d}]`
	for _, tt := range []struct {
		name, world string
		change      func(*site) // when the first deletion is sent
		want        []string
		there       []string // what must be there in the end
	}{
		{"an image is pushed to a namespace, and the outcome of its deletion is open",
			`{faults: [{method: DELETE, status: 504, times: 1}], namespaces: [{name: void, age: 400d}]}`,
			func(s *site) { must(s.t, s.server.Push("fr-par", "void", "app", "v1", "")) }, []string{"void failed"}, []string{"void/app:v1"}},
		{"a tag is pushed to an image, and the outcome of its deletion is open",
			`{faults: [{method: DELETE, status: 504, times: 1}], namespaces: [{name: prod, age: 400d, ` + empty + `}]}`,
			func(s *site) { must(s.t, s.server.Push("fr-par", "prod", "bare", "v1", "")) }, []string{"prod/bare failed"}, []string{"prod/bare:v1"}},
		{"an image cannot be read and deleted within two seconds",
			`{settings: {latency: 1500ms}, namespaces: [{name: prod, age: 400d, ` + empty + `}]}`,
			func(*site) {}, []string{"prod/bare failed"}, []string{"prod/bare"}},
		{"a listing that shows another image follows a deletion that takes two tags",
			`{settings: {shared_digest: cascade, delete_delay: 3s}, faults: [{method: GET, path: "/images/*/tags", swap_ids: true, every: 2}], namespaces: [{name: prod, age: 400d, ` + images + `}]}`,
			func(*site) {}, []string{"prod/api:pr-1 done", "prod/api:pr-2 gone"}, []string{"prod/api:latest"}},
		{"a tag gets the digest of a deletion whose outcome is open, in an image of several pages",
			`{settings: {shared_digest: cascade}, faults: [{method: DELETE, status: 504, times: 1}], namespaces: [{name: prod, age: 400d, images: [
				{name: api, tags: [{name: pr-1, digest: A, age: 20d}, {name: "v{n}", count: 250, age: 20d}]}]}]}`,
			func(s *site) { s.push("new", "A") }, []string{"prod/api:pr-1 failed"}, []string{"prod/api:pr-1", "prod/api:new"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, tt.world)
				p := s.plan(unlimited(), markEmptyAndPR)
				sent := 0
				s.before = func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodDelete {
						if sent++; sent == 1 {
							tt.change(s)
						}
					}
					return nil, nil
				}
				o, err := s.apply(p, Options{SharedDigest: actions.Protect})
				if err != nil && !errors.Is(err, ErrStopped) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, resultsOf(o)); diff != "" {
					t.Errorf("(-want +got):\n%s%+v", diff, o.Results)
				}
				held := s.snapshot()
				for _, ref := range tt.there {
					if _, ok := held["rg.fr-par.scw.cloud/"+ref]; !ok {
						t.Errorf("%s is gone", ref)
					}
				}
			})
		})
	}
}

// markEmptyAndPR marks tags whose names begin with pr, and what is empty.
func markEmptyAndPR(v *registry.Verdict) {
	if v.Empty {
		v.Delete = markedBy
	}
	if v.Image == nil {
		return
	}
	for i := range v.Image.Tags {
		if strings.HasPrefix(v.Image.Tags[i].Name, "pr") {
			v.Tags[i].Delete = markedBy
		}
	}
}

// In an image of several pages, too, a tag that goes with another one is missed.
func TestALossInAnImageOfSeveralPagesIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {shared_digest: cascade}, namespaces: [{name: prod, age: 400d, images: [
			{name: api, tags: [{name: pr-1, digest: A, age: 20d}, {name: latest, digest: A, age: 20d}, {name: "v{n}", count: 250, age: 20d}]}]}]}`)
		o, err := s.audited(s.markTags(plan.Options{SharedDigest: actions.Untag}), Options{SharedDigest: actions.Untag})
		if !errors.Is(err, ErrLost) || !slices.Equal(o.Lost, []string{"rg.fr-par.scw.cloud/prod/api:latest"}) {
			t.Errorf("%v: lost %q", err, o.Lost)
		}
	})
}
