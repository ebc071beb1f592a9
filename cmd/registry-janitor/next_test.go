package main

import (
	"testing"

	"github.com/registry-janitor/registry-janitor/actions"
)

func TestHowManyTagsOfARunComeBack(t *testing.T) {
	copied := &actions.Archived{To: "archive"}
	for name, row := range map[string]struct {
		digest          string
		result          actions.StepResult
		copied, deleted int
	}{
		"a tag that it deleted":                           {"sha256:b", actions.StepResult{Result: actions.ResultDone, Archived: copied}, 2, 2},
		"one without a copy":                              {"sha256:b", actions.StepResult{Result: actions.ResultDone}, 1, 2},
		"one that went along with another":                {"sha256:a", actions.StepResult{Result: actions.ResultGone}, 1, 2},
		"one that another client deleted":                 {"sha256:b", actions.StepResult{Result: actions.ResultGone}, 1, 1},
		"one that vanished after its copy":                {"sha256:b", actions.StepResult{Result: actions.ResultGone, Archived: copied}, 2, 2},
		"one that vanished after its copy had failed":     {"sha256:b", actions.StepResult{Result: actions.ResultGone, Uncopied: "no space left"}, 1, 2},
		"one that is still there, although it was copied": {"sha256:b", actions.StepResult{Result: actions.ResultBlocked, Archived: copied}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			first := actions.StepResult{Result: actions.ResultDone, Archived: copied}
			p := &actions.Plan{Outcome: &actions.Outcome{Results: []actions.StepResult{first, row.result}}}
			for _, digest := range []string{"sha256:a", row.digest} {
				p.Steps = append(p.Steps, actions.Step{Action: actions.DeleteTag, Digest: digest})
			}
			if copied, deleted := copiedIn(p); copied != row.copied || deleted != row.deleted {
				t.Errorf("%d of %d, want %d of %d", copied, deleted, row.copied, row.deleted)
			}
		})
	}
}
