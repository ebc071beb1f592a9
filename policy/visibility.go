package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// privacy orders the visibilities, the most private first.
var privacy = []registry.Visibility{registry.Private, registry.Inherit, registry.Public}

// visibilityDecision is the visibility that one rule requires.
type visibilityDecision struct {
	to     registry.Visibility
	reason registry.Reason
}

func (d *decoder) addVisibility(dec decision, reason registry.Reason) error {
	to := registry.Visibility(dec.Visibility)
	if !slices.Contains(privacy, to) {
		return fmt.Errorf("%q is not a visibility: want private, public or inherit", to)
	}
	if to == registry.Inherit && d.verdict.Image == nil {
		return fmt.Errorf("a namespace cannot inherit: want private or public")
	}
	d.visibilities = append(d.visibilities, visibilityDecision{to, reason})
	return nil
}

// resolveVisibility chooses the most private visibility, and reports that policies
// differ. A policy that is not enforced decides only where no other does.
func (d *decoder) resolveVisibility() {
	if len(d.visibilities) == 0 {
		return
	}
	slices.SortFunc(d.visibilities, compareVisibilities)
	won := &registry.VisibilityVerdict{To: d.visibilities[0].to}
	var others []string
	why := "" // it wins, among those that are enforced
	for _, v := range d.visibilities {
		switch {
		case v.to == won.To:
			won.Reasons = append(won.Reasons, v.reason)
		case v.reason.ReportOnly && !d.visibilities[0].reason.ReportOnly:
			others = append(others, fmt.Sprintf("%s, which is not enforced, asks for %s", v.reason.Rule, v.to))
		default:
			why = ", the most private"
			others = append(others, fmt.Sprintf("%s asks for %s", v.reason.Rule, v.to))
		}
	}
	won.Reasons = tidyReasons(won.Reasons)
	d.verdict.Visibility = won
	if len(others) == 0 {
		return
	}
	_ = d.violation(registry.Warn, decision{}, registry.Reason{ // without a tag it cannot fail
		Rule: "visibility/conflict",
		Text: fmt.Sprintf("policies differ: %s asks for %s%s, and wins; %s", won.Reasons[0].Rule, won.To, why, strings.Join(slices.Compact(others), ", ")),
	})
}

// compareVisibilities puts what counts most first: what is enforced, then the most
// private.
func compareVisibilities(a, b visibilityDecision) int {
	order := 0
	if a.reason.ReportOnly != b.reason.ReportOnly {
		order = -1
		if a.reason.ReportOnly {
			order = 1
		}
	}
	rank := func(v visibilityDecision) int { return slices.Index(privacy, v.to) }
	return cmp.Or(order, cmp.Compare(rank(a), rank(b)), registry.CompareReasons(a.reason, b.reason))
}

// tidyReasons sorts reasons and drops repetitions: two rules of a package may make
// the same decision.
func tidyReasons(reasons []registry.Reason) []registry.Reason {
	if len(reasons) < 2 {
		return reasons
	}
	slices.SortFunc(reasons, compareReasons)
	return slices.CompactFunc(reasons, func(a, b registry.Reason) bool {
		return a.Rule == b.Rule && a.Text == b.Text && a.ReportOnly == b.ReportOnly
	})
}

// compareReasons puts reasons of the same rule and text in the order of their
// lines, so that tidyReasons keeps the first.
func compareReasons(a, b registry.Reason) int {
	fileA, lineA := cutPlace(a.Source)
	fileB, lineB := cutPlace(b.Source)
	return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Text, b.Text),
		strings.Compare(fileA, fileB), cmp.Compare(len(lineA), len(lineB)), strings.Compare(lineA, lineB))
}

// cutPlace splits "file:line", or "".
func cutPlace(place string) (file, line string) {
	i := strings.LastIndexByte(place, ':') + 1
	return place[:i], place[i:]
}

// distinct drops repetitions.
func distinct(errs []error) []error {
	seen := map[string]bool{}
	var out []error
	for _, err := range errs {
		if !seen[err.Error()] {
			seen[err.Error()] = true
			out = append(out, err)
		}
	}
	return out
}
