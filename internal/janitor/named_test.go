package janitor

import (
	"errors"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A gap is why something is not found only if it may hold it.
func TestAGapHidesOnlyWhatItMayHold(t *testing.T) {
	s := newSetting(t, parse(t, `{namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [{name: v1, age: 1d}]}]}]}`), "", 4)
	image := &registry.Image{Name: "api", Namespace: namespace(), Tags: []registry.Tag{{Name: "v1"}}}
	for gap, hides := range map[registry.Gap]bool{
		{Subject: "rg.fr-par.scw.cloud/prod/web", Region: "fr-par", Holds: registry.HoldsItself}: false,
		{Subject: "rg.fr-par.scw.cloud/dev", Region: "fr-par", Holds: registry.HoldsItself}:      false,
		{Subject: "nl-ams", Region: "nl-ams", Holds: registry.HoldsAll}:                          false,
		{Subject: "rg.fr-par.scw.cloud/prod/api", Region: "fr-par", Holds: registry.HoldsItself}: true,
		{Subject: "rg.fr-par.scw.cloud/prod", Region: "fr-par", Holds: registry.HoldsItself}:     true,
		{Subject: "project 1", Holds: registry.HoldsAll}:                                         true,
		{Subject: "kubernetes prod-eu", Source: "kubernetes", Holds: registry.HoldsAll}:          false,
	} {
		feed := items{{Image: image}, {Gap: &gap}}
		a, err := s.planner.Explain(t.Context(), feed, mustName(t, s.planner, "rg.fr-par.scw.cloud/prod/api:v2"))
		if found := errors.Is(err, registry.ErrNotFound); found == hides || hides && len(a.Explanations[0].Plan.Gaps) != 1 {
			t.Errorf("%+v: %+v, %v", gap, a.Explanations, err)
		}
	}
}
