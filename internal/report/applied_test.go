package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

func appliedText(t *testing.T, run runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Applied(&b, run, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestApplied(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	golden(t, "applied.txt", appliedText(t, runs.Run{Plan: applied(noLimit), Duration: 3214 * time.Millisecond, Calls: 1234}))
	golden(t, "interrupted.txt", appliedText(t, runs.Run{Plan: longRun(t, func(i int) (actions.Result, string) {
		switch {
		case i < 1769:
			return actions.ResultDone, ""
		case i%4000 == 0:
			return actions.ResultFailed, "it is still there after 2m0s"
		}
		return actions.ResultSkipped, "the run was stopped: interrupted: interrupt signal received"
	}), Duration: time.Minute, Calls: 2000}))
}

// longRun is a plan of 27,200 deletions in 340 images, applied.
func longRun(t *testing.T, result func(int) (actions.Result, string)) *actions.Plan {
	t.Helper()
	const steps, inImage = 27_200, 80
	p := &actions.Plan{TakenAt: scanTime, ID: "sha256:" + strings.Repeat("0", 64), Summary: actions.Summary{Namespaces: 1, Images: steps / inImage, Tags: 2 * steps}}
	var results []actions.StepResult
	for i := range steps {
		s := actions.Step{Action: actions.DeleteTag, Ref: fmt.Sprintf("rg.fr-par.scw.cloud/prod/svc-%03d:pr-%d", i/inImage, i)}
		p.Summary.DeleteTags++
		p.Steps = append(p.Steps, s)
		r := actions.StepResult{Ref: s.Ref, Action: s.Action}
		r.Result, r.Detail = result(i)
		results = append(results, r)
	}
	var err error
	if p.Outcome, err = actions.NewOutcome(results); err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever happened to however many steps, it fits on a screen, and the counts are
// those of the outcome.
func TestAppliedFitsOnAScreen(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 5 {
		reasons, kinds := 1+random.IntN(3000), 1+random.IntN(6)
		p := longRun(t, func(int) (actions.Result, string) {
			return actions.Results()[random.IntN(kinds)], fmt.Sprint("reason ", random.IntN(reasons))
		})
		for i := range random.IntN(100) {
			p.Outcome.Lost = append(p.Outcome.Lost, fmt.Sprint("rg.fr-par.scw.cloud/prod/api:lost-", i))
			p.Gaps = append(p.Gaps, registry.Gap{Subject: fmt.Sprint("rg.fr-par.scw.cloud/prod/gap-", i), Error: "no"})
		}
		p.Summary.Gaps, p.Outcome.Stopped = len(p.Gaps), "interrupted"
		got := appliedText(t, runs.Run{Plan: p, Duration: time.Second, Calls: 1})
		if lines := strings.Count(got, "\n"); lines > 34 {
			t.Errorf("%d lines:\n%s", lines, got)
		}
		for _, r := range actions.Results() {
			if n := p.Outcome.Count(r); n > 0 && !strings.Contains(got, text.Thousands(n)+" "+string(r)) {
				t.Errorf("%d %s are not counted:\n%s", n, r, got)
			}
		}
	}
}

// A step that failed is named as long as there is room: it is what the operator looks
// for.
func TestAppliedNamesWhatFailed(t *testing.T) {
	got := appliedText(t, runs.Run{Plan: longRun(t, func(i int) (actions.Result, string) {
		if i == 12_345 {
			return actions.ResultFailed, "500 Internal Server Error"
		}
		return actions.ResultSkipped, "the run was stopped"
	})})
	if !strings.Contains(got, "failed 1 step: 500 Internal Server Error\n  delete_tag rg.fr-par.scw.cloud/prod/svc-154:pr-12345\n") {
		t.Error(got)
	}
}
