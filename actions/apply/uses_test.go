package apply

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// An image of which something has come into use since the plan is left alone:
// nothing of it is deleted, and everything else is done.
func TestWhatCameIntoUseIsLeftAlone(t *testing.T) {
	api := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}
	tagged := func(tag string) registry.Ref { r := api; r.Tag = tag; return r }
	for name, row := range map[string]struct {
		use  registry.Use
		left string // of which nothing is deleted
	}{
		"a tag":                   {registry.Use{Ref: tagged("pr-1")}, "prod/api:"},
		"a digest":                {registry.Use{Ref: api, Digest: "sha256:" + a}, "prod/api:"},
		"a digest anywhere":       {registry.Use{Digest: "sha256:" + a}, "prod/api:"},
		"a digest of an image":    {registry.Use{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "bare"}, Digest: "sha256:" + a}, "prod/bare"},
		"a tag that stays anyway": {registry.Use{Ref: tagged("latest")}, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, everything)
				p := s.plan(unlimited(), condemnAll)
				row.use.By = "somebody"
				before := s.snapshot()
				o, err := s.apply(p, Options{InUse: registry.NewUseIndex([]registry.Use{row.use}).Of})
				must(t, err)
				after := s.snapshot()
				for _, r := range o.Results {
					ref := strings.TrimPrefix(r.Ref, "rg.fr-par.scw.cloud/")
					want := actions.ResultDone
					if strings.HasPrefix(ref, row.left) {
						want = actions.ResultChanged
						if !strings.Contains(r.Detail, "is used by somebody now") {
							t.Errorf("%s: %s", ref, r.Detail)
						}
						if diff := cmp.Diff(before[r.Ref].id, after[r.Ref].id); diff != "" {
							t.Errorf("%s: %s", ref, diff)
						}
					}
					if r.Action.Deletes() && r.Result != want {
						t.Errorf("%s: %s, want %s: %s", ref, r.Result, want, r.Detail)
					}
				}
			})
		})
	}
}
