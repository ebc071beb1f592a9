package notify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// An owner gets a message about their waivers that end, and about nothing else.
func TestOwnersGetTheirWaivers(t *testing.T) {
	of := func(owner, rule string, severity registry.Severity) registry.Violation {
		return registry.Violation{Ref: "configuration", Owner: owner, Severity: severity, Reason: registry.Reason{Rule: rule, Text: "the waiver of " + owner}}
	}
	run := runs.Run{Kind: runs.KindPlan, Error: "failed", Plan: &actions.Plan{
		Gaps: []registry.Gap{{Subject: "s", Error: "e"}},
		Violations: []registry.Violation{
			of("data", "waiver/data", registry.Warn), of("web", "waiver/web", registry.Deny),
			of("data", "naming/x", registry.Waived), {Ref: "r", Severity: registry.Deny},
		},
	}}
	for _, c := range []struct {
		name   string
		owners []string
		want   []string
	}{
		{"the owner of one that ends", []string{"data"}, []string{"data: the waiver of data"}},
		{"the owner of none", []string{"ops"}, nil},
		{"whoever reads of the whole run", nil, []string{"data: the waiver of data", "web: the waiver of web"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := Notification{Name: "n", Owners: c.owners, On: []Occasion{OnWaiver}}
			m := newMessage(n, run, occurrences(run, c.owners))
			if diff := cmp.Diff(c.want, m.Waivers.Items); diff != "" {
				t.Errorf("waivers (-want +got):\n%s", diff)
			}
			if whole := len(c.owners) == 0; (m.Gaps.Total > 0) != whole {
				t.Errorf("the message has %d gaps", m.Gaps.Total)
			}
		})
	}
}
