package outline

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func manySteps(n int, reason string) *actions.Plan {
	p := &actions.Plan{}
	shared := []registry.Reason{{Rule: "retention/a", Text: reason}}
	for range n {
		p.Steps = append(p.Steps, actions.Step{Action: actions.DeleteTag, Ref: "rg.fr-par.scw.cloud/prod/api:v1", Tag: "v1", Reasons: shared})
	}
	return p
}

func TestPlainDocumentIsNotCopied(t *testing.T) {
	p := manySteps(20_000, "older than 14d")
	if Clean(runs.Run{Plan: p}).Plan != p {
		t.Error("the plan is a copy")
	}
	if n := testing.AllocsPerRun(3, func() { Clean(runs.Run{Plan: p}) }); n > 100 {
		t.Errorf("it takes %v allocations", n)
	}
}

func TestReasonsStayShared(t *testing.T) {
	p := manySteps(3, "wegen \x1b]0;title\x07")
	got := Clean(runs.Run{Plan: p}).Plan
	if got == p || p.Steps[0].Reasons[0].Text != "wegen \x1b]0;title\x07" {
		t.Fatal("the plan itself was changed")
	}
	if got.Steps[0].Reasons[0].Text != `wegen \x1b]0;title\a` {
		t.Errorf("the reason is %q", got.Steps[0].Reasons[0].Text)
	}
	if &got.Steps[0].Reasons[0] != &got.Steps[2].Reasons[0] {
		t.Error("every step has reasons of its own")
	}
}

func TestCleanReachesEverything(t *testing.T) {
	type document struct {
		Named   registry.Severity
		Pointer *registry.Ref
		Map     map[string][]string
		Err     error
		hidden  string
	}
	d := document{"a\n", &registry.Ref{Tag: "b\n"}, map[string][]string{"c\n": {"d\n"}}, errors.New("e\n"), "f\n"}
	got := Clean(d)
	want := document{`a\n`, &registry.Ref{Tag: `b\n`}, map[string][]string{`c\n`: {`d\n`}}, nil, "f\n"}
	if got.Err.Error() != `e\n` || got.hidden != want.hidden {
		t.Errorf("the error is %q, the hidden text %q", got.Err, got.hidden)
	}
	got.Err = nil
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(document{})); diff != "" {
		t.Error(diff)
	}
	if d.Named != "a\n" || d.Pointer.Tag != "b\n" || d.Map["c\n"] == nil {
		t.Errorf("the document was changed: %+v", d)
	}
}

func TestOfTwoNamesThatLookTheSameOneIsAlwaysShown(t *testing.T) {
	for range 20 {
		if got := Clean(map[string]int{"a\n": 1, `a\n`: 2}); got[`a\n`] != 2 {
			t.Fatalf("it gives %v", got)
		}
	}
}
