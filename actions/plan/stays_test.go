package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The plan names exactly the images of which it deletes something, and in each,
// every tag without a step.
func TestPlanNamesKeptTags(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		vs := w.registry()
		p := planOf(w.options(), w.shuffled(vs), w.gaps())
		deleted, touched := make(map[string]bool), make(map[string]bool)
		for _, s := range p.Steps {
			if s.Action == actions.DeleteTag || s.Action == actions.DeleteImage {
				deleted[s.Ref], touched[s.Object().String()] = true, true
			}
		}
		var want []actions.PlannedImage
		for _, v := range vs {
			if v.Image == nil || !touched[v.Image.Ref().String()] {
				continue
			}
			img := actions.PlannedImage{Ref: v.Image.Ref().String(), ID: v.Image.ID}
			var stay []string
			for _, tag := range v.Image.Tags {
				if !deleted[v.Image.TagRef(tag.Name).String()] && tag.Status != registry.StatusDeleting {
					stay = append(stay, tag.Name)
				}
			}
			slices.Sort(stay)
			img.Stay = actions.NamesOf(stay...)
			want = append(want, img)
		}
		slices.SortFunc(want, func(a, b actions.PlannedImage) int { return strings.Compare(a.Ref, b.Ref) })
		if diff := cmp.Diff(want, p.Images, cmpopts.IgnoreFields(actions.PlannedImage{}, "Frees")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := actions.Decode(strings.NewReader(encoded(t, p))); err != nil {
			t.Error(err)
		}
	})
}

func TestImageWhoseDeletionsAreAllHeldIsNotNamed(t *testing.T) {
	p := planOf(unlimited(), []registry.Verdict{imageOf(t, "latest a 2h", "pr-12 b 960h marked")},
		[]registry.Gap{{Subject: "clock", Error: "wrong", Holds: registry.HoldsAll}})
	if p.Images != nil || strings.Contains(encoded(t, p), `"images":[`) {
		t.Errorf("%+v", p.Images)
	}
}
