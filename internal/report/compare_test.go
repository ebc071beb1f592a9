package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// compared is a comparison with one of everything.
func compared(t *testing.T) *diff.Comparison {
	t.Helper()
	reasons := func(rule, text string) []registry.Reason { return []registry.Reason{{Rule: rule, Text: text}} }
	const api, web = "rg.fr-par.scw.cloud/prod/api", "rg.fr-par.scw.cloud/prod/web"
	step := diff.Position{State: diff.StateStep, Reasons: reasons("retention/prs", "older than 7d")}
	change := func(only diff.Presence, ref string, other diff.Position) diff.Change {
		c := diff.Change{Only: only, Action: actions.DeleteTag, Ref: ref, Before: other, After: step}
		if only == diff.Before {
			c.Before, c.After = c.After, c.Before
		}
		return c
	}
	free := diff.Position{State: diff.StateUnmarked, Detail: "no rule marks it"}
	return &diff.Comparison{
		Version: 1,
		Before:  diff.Plan{Name: "main.yaml", TakenAt: scanTime, Summary: actions.Summary{StepCounts: actions.StepCounts{DeleteTags: 1, SetVisibility: 1}, Held: 2}},
		After:   diff.Plan{Name: "janitor.yaml", TakenAt: scanTime, Refused: true, Summary: actions.Summary{StepCounts: actions.StepCounts{DeleteTags: 4, SetVisibility: 1}, Deny: 1}},
		Notes:   []string{"The scopes differ: only what is in both is compared."},
		Summary: diff.Summary{
			Same: 3, Differs: 1, OnlyBefore: diff.Effects{StepCounts: actions.StepCounts{DeleteTags: 1}},
			OnlyAfter: diff.Effects{StepCounts: actions.StepCounts{DeleteTags: 3, DeleteImages: 1}, Deny: 1},
		},
		Rules: []diff.ByRule{{Rule: "retention/prs", OnlyBefore: 1, OnlyAfter: 4}, {Rule: "visibility/closed", OnlyBefore: 1, OnlyAfter: 1}},
		Changes: []diff.Change{
			change(diff.After, api+":pr-1", free),
			change(diff.After, api+":pr-2", free),
			change(diff.After, api+":pr-3", diff.Position{State: diff.StateKept, Reasons: reasons("retention/releases", "the rule keeps all it matches")}),
			change(diff.Before, api+":pr-4", diff.Position{State: diff.StateHeld, Guard: actions.GuardSharedDigest, Detail: "shares its digest with latest, which is kept", Reasons: step.Reasons}),
			{Only: diff.After, Action: actions.DeleteImage, Ref: web, After: step, Before: diff.Position{State: diff.StateUnknown}},
			{
				Only: diff.Both, Action: actions.SetImageVisibility, Ref: web,
				Before: diff.Position{State: diff.StateStep, To: registry.Private, Reasons: reasons("visibility/closed", "the image is public, and must be private")},
				After:  diff.Position{State: diff.StateStep, To: registry.Inherit, Reasons: reasons("visibility/closed", "the image is public, and must be inherit")},
			},
		},
		Found: []diff.Finding{{Only: diff.After, Violation: registry.Violation{Ref: api, Severity: registry.Deny, Reason: registry.Reason{Rule: "naming/kebab case", Text: "no | good"}}}},
	}
}

func rendered(t *testing.T, f Format, c *diff.Comparison) string {
	t.Helper()
	var b bytes.Buffer
	if err := Compare(&b, f, c, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	golden(t, "compare.txt", rendered(t, FormatText, compared(t)))
	golden(t, "compare.md", rendered(t, FormatMarkdown, compared(t)))
	same := &diff.Comparison{Before: diff.Plan{TakenAt: scanTime}, After: diff.Plan{TakenAt: scanTime}}
	if text := rendered(t, FormatText, same); !strings.Contains(text, "No difference") {
		t.Error(text)
	}
	if err := Compare(new(bytes.Buffer), "pdf", same, TextOptions{}); err == nil {
		t.Error("a format that is not there is taken")
	}
}

// A comment on a pull request has a largest length. What does not fit is
// counted, and the document is whole all the same.
func TestMarkdownFitsIntoAComment(t *testing.T) {
	for _, n := range []int{10, 1000, 100000} {
		c := compared(t)
		c.Changes = nil
		for i := range n {
			c.Changes = append(c.Changes, diff.Change{
				Only: diff.After, Action: actions.DeleteTag, Ref: fmt.Sprintf("rg.fr-par.scw.cloud/prod/api-%d:pr-%d", i/7, i),
				Before: diff.Position{State: diff.StateUnmarked, Detail: "no rule marks it"},
				After:  diff.Position{State: diff.StateStep, Reasons: []registry.Reason{{Rule: "retention/prs", Text: "older than 7d"}}},
			})
		}
		text := rendered(t, FormatMarkdown, c)
		if len(text) > 60_000 {
			t.Errorf("%d differences: %d bytes", n, len(text))
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Errorf("%d differences: a fold is not closed", n)
		}
		shown := strings.Count(text, "<code>pr-")
		cut := 0
		if m := regexp.MustCompile(`… and ([0-9,]+) more`).FindStringSubmatch(text); m != nil {
			cut, _ = strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
		}
		// The one violation may be among what is cut.
		if got := shown + cut; got != n && got != n+1 {
			t.Errorf("%d differences: %d are shown and %d counted", n, shown, cut)
		}
		if n == 10 && cut > 0 || n > 1000 && cut == 0 {
			t.Errorf("%d differences: %d are cut", n, cut)
		}
	}
}

// Nothing from the registry or from a policy is markup, or a mention.
func TestMarkdownIsInert(t *testing.T) {
	c := compared(t)
	evil := "x|y`<script>@team [a](http://b) ![](c) **d** #1 \n| z |"
	c.Changes[0].After.Reasons = []registry.Reason{{Rule: evil, Text: evil}}
	c.Changes[0].Before.Detail = evil
	c.Changes[0].Ref = "rg.fr-par.scw.cloud/prod/api:" + evil
	c.Found[0].Text = evil
	c.Rules[0].Rule = evil
	c.Notes = []string{evil}
	c.Before.Name = evil
	text := rendered(t, FormatMarkdown, c)
	for _, bad := range []string{"<script", "@team", "](", "**d", "`", "http://", "\n| z"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q gets through", bad)
		}
	}
}

func TestWriteLint(t *testing.T) {
	l := &runs.Lint{TakenAt: scanTime, Images: 3, Tags: 12, Rules: 2, Gaps: []registry.Gap{{Subject: "rg.fr-par.scw.cloud/prod/x", Error: "cut off"}}, Findings: []runs.LintFinding{
		{Kind: runs.LintMatchesNothing, Rule: "retention/\x1b[31mx", Message: "it matches nothing of what there is", Remedy: "remove it", Examples: []string{}},
		{Kind: runs.LintShadowed, Rule: "retention/y", Message: "all is kept", Remedy: "remove it", Tags: 2, Images: 1, Examples: []string{"rg.fr-par.scw.cloud/prod/api:y"}},
	}}
	var b bytes.Buffer
	if err := WriteLint(&b, FormatText, l, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "lint.txt", b.String())
	b.Reset()
	if err := WriteLint(&b, FormatJSON, l, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "lint.json", b.String())
	if err := WriteLint(&b, "html", l, TextOptions{}); err == nil {
		t.Error("a format that is not there is taken")
	}
}

// manyDeletions is a comparison of which one side deletes many tags, each for a reason
// of its own.
func manyDeletions(t *testing.T, images, tags int) *diff.Comparison {
	c := compared(t)
	c.Changes = nil
	for i := range images {
		for j := range tags {
			c.Changes = append(c.Changes, diff.Change{
				Only: diff.After, Action: actions.DeleteTag, Ref: fmt.Sprintf("rg.fr-par.scw.cloud/prod/api-%02d:pr-%d", i, j),
				Before: diff.Position{State: diff.StateKept, Reasons: []registry.Reason{{Rule: "retention/last", Text: fmt.Sprintf("number %d of 100", j+1)}}},
				After:  diff.Position{State: diff.StateStep, Reasons: []registry.Reason{{Rule: "retention/prs", Text: "older than 7d"}}},
			})
		}
	}
	return c
}

func TestComparisonGroupsAsAPlanDoes(t *testing.T) {
	text := rendered(t, FormatText, manyDeletions(t, 1, 91))
	golden(t, "compare-many.txt", text)
	if n := strings.Count(text, "\n"); n > 120 {
		t.Errorf("91 tags take %d lines", n)
	}
}

func TestLongComparisonIsShortened(t *testing.T) {
	c := manyDeletions(t, 40, 91)
	text := rendered(t, FormatText, c)
	if !strings.Contains(text, "\n  rg.fr-par.scw.cloud/prod/api-07  91: prs 91\n") || !strings.Contains(text, "--details all") || strings.Count(text, "\n") > 80 {
		t.Error(text)
	}
	var all bytes.Buffer
	if err := Compare(&all, FormatText, c, TextOptions{Details: DetailsAll}); err != nil || strings.Count(all.String(), "pr-90 ") != 40 {
		t.Errorf("--details all names a tag %d times, error %v", strings.Count(all.String(), "pr-90 "), err)
	}
	for i := range 400 {
		c.Changes = append(c.Changes, diff.Change{Only: diff.After, Action: actions.DeleteImage, Ref: fmt.Sprintf("rg.fr-par.scw.cloud/old/web-%d", i)})
	}
	if text := rendered(t, FormatText, c); !strings.Contains(text, "… and 140 more images") {
		t.Error(text)
	}
}
