package policy

import (
	"fmt"
	"regexp"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// grouping splits what a rule matched into groups by the names of the tags.
type grouping struct {
	regex *regexp.Regexp
	index int // of the capture group that names the group
}

// newGrouping anchors the pattern at both ends. The capture group named "group"
// names the group, or else the first one.
func newGrouping(pattern string) (*grouping, error) {
	if pattern == "" {
		return nil, nil
	}
	regex, err := rules.Anchored(pattern)
	if err != nil {
		return nil, fmt.Errorf("group_by: %w", err)
	}
	if regex.NumSubexp() == 0 {
		return nil, fmt.Errorf("group_by %q has no capture group", pattern)
	}
	return &grouping{regex: regex, index: max(1, regex.SubexpIndex("group"))}, nil
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
	at := g.regex.FindStringSubmatchIndex(name)
	if at == nil {
		return " of the tags in no group"
	}
	from, to := at[2*g.index], at[2*g.index+1]
	if from == to { // nothing was captured
		return ` of ""`
	}
	return " of " + name[from:to]
}
