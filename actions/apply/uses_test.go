package apply

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// What has come into use since the plan is not deleted, and everything else is.
func TestWhatCameIntoUseIsLeftAlone(t *testing.T) {
	api := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}
	tagged := func(tag string) registry.Ref { r := api; r.Tag = tag; return r }
	for name, row := range map[string]struct {
		use  registry.Use
		left []string // what is not deleted
	}{
		"a tag":                   {registry.Use{Ref: tagged("pr-1")}, []string{"prod/api:pr-1"}},
		"a digest":                {registry.Use{Ref: api, Digest: "sha256:" + a}, []string{"prod/api:pr-2", "prod/api:sha256-" + a + ".sig"}},
		"a digest anywhere":       {registry.Use{Digest: "sha256:" + a}, []string{"prod/api:pr-2", "prod/api:sha256-" + a + ".sig"}},
		"a digest of an image":    {registry.Use{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "bare"}, Digest: "sha256:" + a}, []string{"prod/bare"}},
		"a tag that stays anyway": {registry.Use{Ref: tagged("latest")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, everything)
				p := s.plan(unlimited(), markAll)
				row.use.By = "a cluster"
				before := s.snapshot()
				s.uses = registry.NewUseIndex([]registry.Use{row.use})
				o, err := s.apply(p, Options{})
				must(t, err)
				after := s.snapshot()
				for _, r := range o.Results {
					ref := strings.TrimPrefix(r.Ref, "rg.fr-par.scw.cloud/")
					want := actions.ResultDone
					if slices.Contains(row.left, ref) {
						want = actions.ResultChanged
						if registry.AttachmentSubject(r.Ref[strings.LastIndexByte(r.Ref, ':')+1:], "") != "" {
							want = actions.ResultBlocked
						} else if !strings.Contains(r.Detail, "on hold now by the guard in_use: used by a cluster") {
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
