package runs_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestARunSucceedsOnlyIfNothingIsLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		run  runs.Run
		want bool
	}{
		"a complete plan":            {runs.Run{Plan: &actions.Plan{}}, true},
		"a complete apply":           {runs.Run{Plan: &actions.Plan{Outcome: &actions.Outcome{Done: 3, Blocked: 1}}}, true},
		"no plan":                    {runs.Run{}, false},
		"an error beside the plan":   {runs.Run{Plan: &actions.Plan{}, Error: "disk full"}, false},
		"a gap":                      {runs.Run{Plan: &actions.Plan{Gaps: []registry.Gap{{Subject: "clock"}}}}, false},
		"a policy that failed":       {runs.Run{Plan: &actions.Plan{Held: []actions.Held{{Guard: actions.GuardPolicyError}}}}, false},
		"a refusal":                  {runs.Run{Plan: &actions.Plan{Refusals: []actions.Refusal{{Limit: "max_deletions"}}}}, false},
		"a failed step":              {runs.Run{Plan: &actions.Plan{Outcome: &actions.Outcome{Failed: 1}}}, false},
		"a step that was not tried":  {runs.Run{Plan: &actions.Plan{Outcome: &actions.Outcome{Skipped: 1}}}, false},
		"a tag that should be there": {runs.Run{Plan: &actions.Plan{Outcome: &actions.Outcome{Lost: []string{"x"}}}}, false},
	} {
		if got := tt.run.Succeeded(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestExplanationIsAboutItsObject(t *testing.T) {
	reason := func(rule string) []registry.Reason { return []registry.Reason{{Rule: rule}} }
	v := &registry.Verdict{
		Image:  &registry.Image{Tags: []registry.Tag{{Name: "v1"}, {Name: "v2"}}},
		Tags:   []registry.TagVerdict{{}, {Delete: reason("old"), Keep: reason("latest"), InUse: []string{"kubernetes prod"}}},
		Delete: reason("empty"), InUse: []string{"kubernetes prod", "references"},
	}
	for _, tt := range []struct {
		name       string
		e          runs.Explanation
		mark, keep []registry.Reason
		inUse      []string
	}{
		{"a tag", runs.Explanation{Ref: registry.Ref{Image: "api", Tag: "v2"}, Verdict: v}, reason("old"), reason("latest"), []string{"kubernetes prod"}},
		{"a tag without reasons", runs.Explanation{Ref: registry.Ref{Image: "api", Tag: "v1"}, Verdict: v}, nil, nil, nil},
		{"an image", runs.Explanation{Ref: registry.Ref{Image: "api"}, Verdict: v}, reason("empty"), nil, []string{"kubernetes prod", "references"}},
		{"what was not judged", runs.Explanation{Ref: registry.Ref{Image: "api", Tag: "v1"}, Note: "out of scope"}, nil, nil, nil},
	} {
		mark, keep := tt.e.Reasons()
		if diff := cmp.Diff([]any{tt.mark, tt.keep, tt.inUse}, []any{mark, keep, tt.e.InUse()}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestSecondsAreANumber(t *testing.T) {
	got, err := json.Marshal(runs.Schedule{Name: "nightly", Jitter: runs.Seconds(90500 * time.Millisecond)})
	if want := `{"name":"nightly","cron":"","timezone":"","do":"","jitter_seconds":90.5,"skipped":0}`; err != nil || string(got) != want {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
}
