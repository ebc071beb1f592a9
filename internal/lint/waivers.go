package lint

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// expectWaivers expects each waiver to be about something, whatever its age.
func (u *Unused) expectWaivers(c *config.Config) error {
	for i := range c.Waivers {
		w := c.Waivers[i]
		match := *w.Match
		match.OlderThan, match.YoungerThan = rules.Match{}.OlderThan, rules.Match{}.YoungerThan
		w.Match = &match
		x, err := w.Compile(c.Location())
		if err != nil {
			return err
		}
		text := w.Rule() + ": the waiver for " + w.What() + " is about nothing in the registry: compare it with the names there, or remove the waiver"
		u.expectTags(w.Rule(), text, false, func(n *registry.Namespace, img *registry.Image) bool {
			if img == nil {
				return x.CoversNamespace(n, 0)
			}
			tags, possible := x.Tags(img)
			return x.CoversImage(img, 0) || possible && (img.Status != registry.StatusReady || slices.ContainsFunc(img.Tags, func(t registry.Tag) bool {
				return tags.May(t.Name, rules.ParseVersion(t.Name), 0, nil)
			}))
		})
	}
	return nil
}
