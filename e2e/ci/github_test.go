package ci

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// pull is a pull request, and planned are the jobs that it runs.
var (
	pull    = event{name: "pull_request", branch: "change", number: "12"}
	planned = []string{"check", "plan"}
)

func TestAPullRequestGetsAPlanAndACommentByItsExitCode(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	for name, c := range map[string]struct {
		config, world string
		result        string
		says          string
	}{
		"0, nothing to do":            {calm, world, "success", "Nothing to do."},
		"1, tags cannot be read":      {changed, unreadable, "failure", "::error title=registry-janitor::The plan failed or is incomplete."},
		"2, there are steps":          {changed, world, "success", "::warning title=registry-janitor::The plan has steps"},
		"3, a limit refuses the plan": {limited, world, "failure", "::error title=registry-janitor::A limit refuses the plan."},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, janitor, c.world)
			b.propose(map[string]string{"janitor.yaml": c.config})
			b.says("comments.json", `[{"id": 1, "user": {"type": "User"}, "body": "<!-- registry-janitor --> quoted"}]`)
			got := b.start(w, pull, planned...)
			b.want(got, map[string]string{"check": "success", "plan": c.result})
			b.contains("the log", got.output, c.says)
			b.contains("the summary", got.summary, "### Plan of ", "### What the policies would do")
			b.contains("the comment", b.noted("posted.md"), "<!-- registry-janitor -->\n### What the policies would do", "\n### Plan of ")
			b.contains("the calls to the host", b.noted("calls"), "gh api --method POST repos/acme/registry/issues/12/comments ")
			if b.read(filepath.Join(got.artifacts["plan"], "PLAN.json")) == "" {
				t.Error("the plan is not saved")
			}
			if d := b.deleted(); len(d) > 0 {
				t.Errorf("a pull request changed the registry: %q", d)
			}
		})
	}
}

func TestALaterPlanUpdatesTheComment(t *testing.T) {
	tools(t)
	b := newBench(t, program.Build(t), world)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.says("comments.json", `[{"id": 1, "user": {"type": "User"}, "body": "hello"}, {"id": 34, "user": {"type": "Bot"}, "body": "<!-- registry-janitor -->\n### old"}]`)
	got := b.start(readWorkflow(t), pull, planned...)
	b.want(got, map[string]string{"check": "success", "plan": "success"})
	b.contains("the calls to the host", b.noted("calls"), "gh api --method PATCH repos/acme/registry/issues/comments/34 ")
	b.contains("the comment", b.noted("posted.md"), "Only after: 1 tag deletion", "<code>pr-2</code>")
}

func TestChecksNeedNoKeyAndABrokenPolicyFailsThem(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	b := newBench(t, janitor, world)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.want(b.start(w, pull, "check"), map[string]string{"check": "success"})
	if d, posted := b.noted("calls"), b.noted("posted.md"); strings.Contains(d, "gh ") || posted != "" {
		t.Errorf("the check job, which forks get, talks to the host: %s%s", d, posted)
	}
	b.propose(map[string]string{"policies/testing.rego": strings.Replace(keep, "tag.name, \"-testing\"", "tag.nmae, \"-testing\"", 1)})
	got := b.start(w, pull, planned...)
	b.want(got, map[string]string{"check": "failure"})
	b.contains("the log", got.output, "testing.rego")
	b.propose(map[string]string{"policies/testing.rego": strings.Replace(keep, "-testing", "-tested", 1)})
	b.want(b.start(w, pull, planned...), map[string]string{"check": "failure"})
}

func TestTheFirstPullRequestHasNothingToCompareWith(t *testing.T) {
	tools(t)
	b := newBench(t, program.Build(t), world)
	b.git(b.origin, "rm", "--quiet", "janitor.yaml")
	b.commit("without", nil)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.says("comments.json", "[]")
	got := b.start(readWorkflow(t), pull, planned...)
	b.want(got, map[string]string{"check": "success", "plan": "success"})
	b.contains("the comment", b.noted("posted.md"), "The base branch has no janitor.yaml", "### Plan of ")
}

func TestAfterTheMergeTheReviewedPlanIsApplied(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	push := event{name: "push", branch: "main"}
	// review makes a plan on a pull request and merges it.
	review := func(t *testing.T, config string) *bench {
		b := newBench(t, janitor, world)
		b.propose(map[string]string{"janitor.yaml": config})
		b.says("comments.json", "[]")
		got := b.start(w, pull, planned...)
		b.want(got, map[string]string{"check": "success", "plan": "success"})
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(got.artifacts["plan"], "PLAN.json")))
		b.merge()
		b.says("pulls.json", `[{"merged_at": null, "merge_commit_sha": null, "head": {"sha": "other"}}, {"merged_at": "2026-11-22T12:00:00Z", "merge_commit_sha": "`+b.git(b.origin, "rev-parse", "main")+`", "head": {"sha": "`+b.git(b.origin, "rev-parse", "change")+`"}}]`)
		b.says("runs.json", `[{"databaseId": 4711}]`)
		return b
	}
	refused := func(t *testing.T, b *bench, e event, want ...string) {
		t.Helper()
		got := b.start(w, e, "check", "apply")
		if got.results["apply"] != "failure" {
			t.Errorf("apply is %s", got.results["apply"])
		}
		b.contains("the log", got.output, want...)
		if d := b.deleted(); len(d) > 0 {
			t.Errorf("deleted %q", d)
		}
	}
	t.Run("as it was", func(t *testing.T) {
		b := review(t, changed)
		got := b.start(w, push, "check", "apply")
		b.want(got, map[string]string{"check": "success", "apply": "success"})
		b.contains("the summary", got.summary, "**Applied: 2 done**")
		b.contains("the calls to the host", b.noted("calls"), "gh run download 4711 --repo acme/registry --name plan", "--commit "+b.git(b.origin, "rev-parse", "change"))
		if d := b.deleted(); len(d) != 2 {
			t.Errorf("deleted %q", d)
		}
		if b.read(filepath.Join(got.artifacts["ledger"], "state", "ledger.db")) == "" {
			t.Error("the ledger is not kept")
		}
		// Applied again, everything is gone already, and that is fine.
		b.want(b.start(w, push, "check", "apply"), map[string]string{"check": "success", "apply": "success"})
	})
	t.Run("a plan that the policies do not ask for", func(t *testing.T) {
		b := review(t, changed)
		dir := b.checkout("main")
		b.write(filepath.Join(dir, "lax.yaml"), lax, 0o600)
		_, _ = b.run(dir, b.program+" plan -c lax.yaml -o forged.json", map[string]string{"SCW_ACCESS_KEY": accessKey, "SCW_SECRET_KEY": secretKey})
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(dir, "forged.json")))
		refused(t, b, push, "delete_tag rg.fr-par.scw.cloud/prod/api:main-1: not_condemned", "no longer ask for these steps")
	})
	t.Run("a plan of another configuration", func(t *testing.T) {
		b := review(t, changed)
		b.commit("later", map[string]string{"janitor.yaml": strings.Replace(changed, "14d", "13d", 1)})
		b.says("pulls.json", strings.Replace(b.noted("pulls.json"), b.git(b.origin, "rev-parse", "main~1"), b.git(b.origin, "rev-parse", "main"), 1))
		refused(t, b, push, "another configuration", "run the workflow by hand for a new one")
	})
	t.Run("a plan that is too old", func(t *testing.T) {
		refused(t, review(t, hasty), push, "max_plan_age", "run the workflow by hand for a new one")
	})
	t.Run("a commit without a pull request", func(t *testing.T) {
		b := review(t, changed)
		b.says("pulls.json", "[]")
		refused(t, b, push, "has no pull request and no reviewed plan")
	})
	t.Run("a pull request without a plan", func(t *testing.T) {
		b := review(t, changed)
		b.says("runs.json", "[]")
		refused(t, b, push, "has no successful plan")
	})
	t.Run("by hand, with a new plan", func(t *testing.T) {
		b := newBench(t, janitor, world)
		b.propose(map[string]string{"janitor.yaml": changed})
		b.merge()
		hand := event{name: "workflow_dispatch", branch: "main"}
		got := b.start(w, hand, planned...)
		b.want(got, map[string]string{"check": "success", "plan": "success"})
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(got.artifacts["plan"], "PLAN.json")))
		b.want(b.start(w, hand, "apply"), map[string]string{"apply": "success"})
		b.contains("the calls to the host", b.noted("calls"), "gh run download 77 ")
		if d := b.deleted(); len(d) != 2 {
			t.Errorf("deleted %q", d)
		}
	})
}
