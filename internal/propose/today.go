package propose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Today is the comment that ends a proposal: what it would delete, by a plan that was
// made as if every rule were enforced.
func Today(plan *actions.Plan) string {
	var p page
	p.line()
	p.comment("", "If every rule were enforced, this file would delete: "+Deletions(plan)+", by a plan of what was in the registry at the time above.")
	byRule, images := steps(plan)
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		p.line(fmt.Sprintf("#   %-32s %s in %s", strings.TrimPrefix(rule, "retention/"), text.Count(byRule[rule], "tag"), text.Count(len(images[rule]), "image")))
	}
	if words := held(plan); words != "" {
		p.comment("", "Guards would hold "+words+".")
	}
	for _, r := range plan.Refusals {
		p.comment("", "A limit would refuse that plan (limits."+r.Limit+"): "+text.Clean(r.Detail)+".")
	}
	return p.String()
}

// Deletions counts what a plan would delete, of what there is.
func Deletions(plan *actions.Plan) string {
	return text.Thousands(plan.Summary.DeleteTags) + " of " + text.Count(plan.Summary.Tags, "tag")
}

// steps counts the deletions of a plan by the first rule that asks for each.
func steps(plan *actions.Plan) (tags map[string]int, images map[string]map[string]bool) {
	tags, images = map[string]int{}, map[string]map[string]bool{}
	for i := range plan.Steps {
		step := &plan.Steps[i]
		if !step.Action.Deletes() || len(step.Reasons) == 0 {
			continue
		}
		rule := step.Reasons[0].Rule
		if images[rule] == nil {
			images[rule] = map[string]bool{}
		}
		tags[rule]++
		images[rule][step.Object().String()] = true
	}
	return tags, images
}

// held counts what guards hold, by guard.
func held(plan *actions.Plan) string {
	count := map[actions.Guard]int{}
	for i := range plan.Held {
		count[plan.Held[i].Guard]++
	}
	var words []string
	for _, guard := range actions.Guards() {
		if n := count[guard]; n > 0 {
			words = append(words, text.Count(n, "tag")+" ("+string(guard)+")")
		}
	}
	return text.List(words, "and")
}
