package facts

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// grouping splits what a rule matched into groups by the names of the tags.
type grouping struct{ *rules.Capture }

func newGrouping(pattern string) (*grouping, error) {
	if pattern == "" {
		return nil, nil
	}
	c, err := rules.NewCapture(pattern, "group")
	if err != nil {
		return nil, fmt.Errorf("group_by: %w", err)
	}
	return &grouping{c}, nil
}

// group is the part of what a rule matched that has its own counts.
type group struct {
	of   string // " of prod", the words that tell it from the others; "" for all
	tags []*tag // in the order of the rule
}

// split returns the groups in the order of their first tags. The tags that do not
// match the pattern are a group of their own.
func (g *grouping) split(tags []*tag) []group {
	if g == nil {
		return []group{{tags: tags}}
	}
	var groups []group
	byName := map[string]int{}
	for _, t := range tags {
		of := g.of(t.Name)
		i, ok := byName[of]
		if !ok {
			i = len(groups)
			byName[of] = i
			groups = append(groups, group{of: of})
		}
		groups[i].tags = append(groups[i].tags, t)
	}
	return groups
}

func (g *grouping) of(name string) string {
	switch group, ok := g.Of(name); {
	case !ok:
		return " of the tags in no group"
	case group == "":
		return ` of ""`
	default:
		return " of " + group
	}
}
