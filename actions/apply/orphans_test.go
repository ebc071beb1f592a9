package apply

import (
	"testing"
	"testing/synctest"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// An orphan whose subject is pushed again after the plan is one no more.
func TestAnOrphanWhoseSubjectIsBackIsBlocked(t *testing.T) {
	const world = `{namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: sha256-` + a + `.sig, age: 20d}, {name: latest, age: 10d}]}]}]}`
	for name, row := range map[string]struct {
		change func(s *site)
		want   string
	}{
		"nothing happened":       {func(*site) {}, "done"},
		"another digest is new":  {func(s *site) { s.push("new", "B") }, "done"},
		"its subject is back":    {func(s *site) { s.push("new", "A") }, "blocked"},
		"its subject is latest":  {func(s *site) { s.push("latest", "A") }, "blocked"},
		"it is signed once more": {func(s *site) { s.push("sha256-"+a+".sig", "S") }, "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, world)
				p := s.plan(plan.Options{Orphans: plan.DeleteOrphans, Content: plan.Content{Read: plan.ReadNever}, MaxDeletions: -1, MaxDeletionPercent: -1}, func(v *registry.Verdict) {
					for i := range v.Tags {
						if registry.AttachmentSubject(v.Image.Tags[i].Name, v.Image.Tags[i].Digest) != "" {
							v.Tags[i].Delete = markedBy
						}
					}
				})
				row.change(s)
				outcome, err := s.apply(p, Options{})
				must(t, err)
				if len(outcome.Results) != 1 || string(outcome.Results[0].Result) != row.want {
					t.Errorf("got %+v, want %s", outcome.Results, row.want)
				}
			})
		})
	}
}
