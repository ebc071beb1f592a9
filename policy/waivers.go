package policy

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// waive gives the violations that a waiver covers the severity waived, and turns a change
// of visibility into one: an exception stays as it is, and is reported.
func (j *Judge) waive(v *registry.Verdict) {
	waived := false
	for i := range v.Violations {
		x := &v.Violations[i]
		if !waivable(x) {
			continue
		}
		tag := ""
		if v.Image != nil {
			tag = strings.TrimPrefix(strings.TrimPrefix(x.Ref, v.Image.Ref().String()), ":")
		}
		if w, ok := j.facts.Covering(v, tag); ok {
			x.Severity, x.Owner, x.Text = registry.Waived, w.Owner, x.Text+"; "+w.Words
			waived = true
		}
	}
	waived = j.waiveVisibility(v) || waived
	if waived {
		slices.SortFunc(v.Violations, registry.CompareViolations)
	}
}

// waivable reports whether a waiver can cover a violation: one of visibility or naming, or
// one that denies.
func waivable(v *registry.Violation) bool {
	return v.Severity == registry.Deny || strings.HasPrefix(v.Rule, "visibility/") || strings.HasPrefix(v.Rule, "naming/")
}

// waiveVisibility replaces a change of visibility that a waiver covers by waived
// violations.
func (j *Judge) waiveVisibility(v *registry.Verdict) bool {
	if v.Visibility == nil || v.Visibility.To == present(v) {
		return false
	}
	w, ok := j.facts.Covering(v, "")
	if !ok {
		return false
	}
	ref := v.Namespace.Ref()
	if v.Image != nil {
		ref = v.Image.Ref()
	}
	for _, reason := range v.Visibility.Reasons {
		reason.Text += "; " + w.Words
		v.Violations = append(v.Violations, registry.Violation{Ref: ref.String(), Severity: registry.Waived, Reason: reason, Owner: w.Owner})
	}
	v.Visibility = nil
	return true
}

// present is the visibility of the subject as it is set.
func present(v *registry.Verdict) registry.Visibility {
	switch {
	case v.Image != nil:
		return v.Image.Visibility
	case v.Namespace.IsPublic:
		return registry.Public
	}
	return registry.Private
}
