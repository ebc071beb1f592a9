package report

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Every text of every document may be hostile: none reaches a terminal, a page or a
// file as it is, and the document itself stays as it was.
func TestNoFormatShowsAControlCharacter(t *testing.T) {
	run := runs.Run{Plan: carriedOut(world(noLimits)), Kind: "plan", Trigger: "x", Error: "x", Sources: []runs.UseSource{{Name: "a", Error: "b"}}, Price: runs.Price{PerGB: 1, Currency: "X"}}
	run.Plan.Gaps = withGaps(noLimits).Gaps
	run.Plan.Refusals = world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: 33.3}).Refusals
	daemon, standby, comparison := leader(), runs.Daemon{Leader: "x", Version: "x"}, compared(t)
	lint := &runs.Lint{Findings: []runs.LintFinding{{Rule: "x", Message: "x", Remedy: "x", Examples: []string{"x"}}}, Gaps: run.Plan.Gaps}
	explained := explanation()
	unjudged := runs.Explanation{Ref: explained.Ref, Note: "x", Plan: run.Plan}
	for _, document := range []any{&run, &daemon, &standby, comparison, lint, &explained, &unjudged} {
		poison(reflect.ValueOf(document))
	}
	formats := map[string]func(*bytes.Buffer) error{
		"the page of a daemon": func(b *bytes.Buffer) error {
			return page.Daemon(b, runs.Overview{Daemon: daemon, Run: &run}, "/assets/")
		},
		"the page of a standby": func(b *bytes.Buffer) error { return page.Daemon(b, runs.Overview{Daemon: standby}, "/assets/") },
		"the rules that lint":   func(b *bytes.Buffer) error { return WriteLint(b, FormatText, lint, TextOptions{}) },
		"an explanation":        func(b *bytes.Buffer) error { return Explain(b, explained, TextOptions{}) },
		"no explanation":        func(b *bytes.Buffer) error { return Explain(b, unjudged, TextOptions{}) },
	}
	for _, f := range Formats() {
		formats["a run as "+string(f)] = func(b *bytes.Buffer) error { return Write(b, f, run, TextOptions{}) }
	}
	for _, f := range CompareFormats() {
		formats["a comparison as "+string(f)] = func(b *bytes.Buffer) error { return Compare(b, f, comparison, TextOptions{}) }
	}
	for name, write := range formats {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), "alert(1)") {
				t.Error("the attack is not there, which proves nothing")
			}
			for _, r := range b.String() {
				json := strings.HasSuffix(name, "json") // whose readers get what there is, escaped where it breaks JSON
				if r < ' ' && r != '\n' || !json && (r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' || r == '\u2028' || r == '\ufffd') {
					t.Errorf("%q is there", r)
					break
				}
			}
		})
	}
	if !strings.Contains(run.Plan.Steps[0].Ref, attack) || !strings.Contains(comparison.Notes[0], attack) {
		t.Error("the documents were changed")
	}
}

// explanation is one of a tag with everything that can be said about it.
func explanation() runs.Explanation {
	d := newDraft(noLimits)
	v := d.image("fr-par", "prod", "api")
	tag(v, "v1", "1", 20*day, preview("old"), trial)
	tag(v, "v2", "1", 20*day)
	v.Tags[0].Keep, v.Tags[0].InUse = []registry.Reason{pulls}, []string{"kubernetes prod"}
	v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{pulls}}
	v.Violations = []registry.Violation{{Ref: v.Image.TagRef("v1").String(), Severity: registry.Deny, Reason: pulls}}
	return runs.Explanation{Ref: v.Image.TagRef("v1"), Verdict: v, Plan: d.plan()}
}
