package ci

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// workflow is what there may be in a workflow of GitHub Actions, as far as this one
// uses it: any other key is an error.
type workflow struct {
	Name string `yaml:"name"`
	On   struct {
		PullRequest struct {
			Paths []string `yaml:"paths"`
		} `yaml:"pull_request"`
		Push struct {
			Branches []string `yaml:"branches"`
			Paths    []string `yaml:"paths"`
		} `yaml:"push"`
		Dispatch any `yaml:"workflow_dispatch"`
	} `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Defaults    struct {
		Run struct {
			Shell string `yaml:"shell"`
		} `yaml:"run"`
	} `yaml:"defaults"`
	Concurrency concurrency    `yaml:"concurrency"`
	Jobs        map[string]job `yaml:"jobs"`
}

type concurrency struct {
	Group  string `yaml:"group"`
	Cancel string `yaml:"cancel-in-progress"`
}

type job struct {
	Name        string            `yaml:"name"`
	Needs       list              `yaml:"needs"`
	If          string            `yaml:"if"`
	RunsOn      string            `yaml:"runs-on"`
	Timeout     int               `yaml:"timeout-minutes"`
	Environment string            `yaml:"environment"`
	Concurrency concurrency       `yaml:"concurrency"`
	Permissions map[string]string `yaml:"permissions"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	Name string            `yaml:"name"`
	ID   string            `yaml:"id"`
	If   string            `yaml:"if"`
	Uses string            `yaml:"uses"`
	With map[string]string `yaml:"with"`
	Env  map[string]string `yaml:"env"`
	Run  string            `yaml:"run"`
}

// list is one string, or several.
type list []string

func (l *list) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = list{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

func decode(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(program.Root(t), "examples", "ci", name))
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := d.Decode(new(any)); err != io.EOF {
		t.Errorf("%s: there is a second document: %v", name, err)
	}
}

func readWorkflow(t *testing.T) *workflow {
	t.Helper()
	w := new(workflow)
	decode(t, "github-actions.yaml", w)
	return w
}

func TestTheWorkflowIsNarrow(t *testing.T) {
	w := readWorkflow(t)
	if len(w.Permissions) != 0 || w.Defaults.Run.Shell != "bash" {
		t.Errorf("permissions %v, shell %q", w.Permissions, w.Defaults.Run.Shell)
	}
	want := map[string]map[string]string{
		"check": {"contents": "read"},
		"plan":  {"contents": "read", "pull-requests": "write"},
		"apply": {"actions": "read", "contents": "read", "pull-requests": "read"},
	}
	got := map[string]map[string]string{}
	for name, j := range w.Jobs {
		got[name] = j.Permissions
		if j.Timeout == 0 || j.RunsOn != "ubuntu-latest" {
			t.Errorf("%s runs on %q for %d minutes", name, j.RunsOn, j.Timeout)
		}
		for i, s := range j.Steps {
			where := name + ": " + s.Name
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: an expression is in the script, where what it holds could be one", where)
			}
			if (s.Run == "") == (s.Uses == "") || s.Uses != "" && !strings.Contains(s.Uses, "@v") {
				t.Errorf("%s: step %d runs %q and uses %q", where, i, s.Run, s.Uses)
			}
			if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
				t.Errorf("%s: the checkout leaves its token behind", where)
			}
			for variable, value := range s.Env {
				if full := strings.Contains(value, "secrets.SCW_ACCESS_KEY") || strings.Contains(value, "secrets.SCW_SECRET_KEY"); full && j.Environment == "" {
					t.Errorf("%s: %s has the key that deletes, outside of the protected environment", where, variable)
				}
			}
			if s.Run != "" {
				checkShell(t, where, s.Run)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	apply := w.Jobs["apply"]
	if apply.Environment != "registry" || apply.Concurrency != (concurrency{"registry-janitor-apply", "false"}) {
		t.Errorf("apply runs in %q, %+v", apply.Environment, apply.Concurrency)
	}
}

// event is what starts a workflow.
type event struct {
	name, branch string
	fork         bool
	number       string
}

// outcome is what became of a workflow.
type outcome struct {
	results   map[string]string // of jobs: success, failure, skipped
	output    string
	summary   string
	artifacts map[string]string // folders
}

// start runs a workflow as GitHub does.
func (b *bench) start(w *workflow, e event) outcome {
	b.t.Helper()
	out := outcome{results: map[string]string{}, artifacts: map[string]string{}}
	context := map[string]string{
		"github.event_name": e.name, "github.repository": "acme/registry", "github.base_ref": "", "github.ref": "refs/heads/" + e.branch,
		"github.event.pull_request.head.repo.full_name": "", "github.event.pull_request.number": e.number, "github.token": "gh-token",
		"github.server_url": "https://github.test", "github.run_id": "77", "cancelled()": "false", "always()": "true",
		"secrets.SCW_ACCESS_KEY": accessKey, "secrets.SCW_SECRET_KEY": secretKey, "secrets.SCW_PLAN_ACCESS_KEY": accessKey, "secrets.SCW_PLAN_SECRET_KEY": secretKey,
	}
	if e.name == "pull_request" {
		context["github.base_ref"] = "main"
		context["github.ref"] = "refs/pull/" + e.number + "/merge"
		context["github.event.pull_request.head.repo.full_name"] = "acme/registry"
		if e.fork {
			context["github.event.pull_request.head.repo.full_name"] = "somebody/registry"
		}
	}
	for done := true; done; {
		done = false
		for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
			j := w.Jobs[name]
			if out.results[name] != "" || slices.ContainsFunc(j.Needs, func(n string) bool { return out.results[n] == "" }) {
				continue
			}
			done = true
			out.results[name] = b.job(w, name, maps.Clone(context), e, &out)
		}
	}
	return out
}

func (b *bench) job(w *workflow, name string, context map[string]string, e event, out *outcome) string {
	b.t.Helper()
	j := w.Jobs[name]
	whole := true
	for _, n := range j.Needs {
		context["needs."+n+".result"] = out.results[n]
		whole = whole && out.results[n] == "success"
	}
	// Without a function that looks at the state, success() is part of a condition.
	condition := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(j.If, "${{"), "}}"))
	if !whole && !strings.Contains(condition, "cancelled()") || condition != "" && !truth(evaluate(b.t, condition, context)) {
		return "skipped"
	}
	dir := b.checkout(e.branch)
	files := b.t.TempDir()
	env := map[string]string{
		"GITHUB_OUTPUT": filepath.Join(files, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(files, "summary"), "GITHUB_REPOSITORY": "acme/registry",
		"GITHUB_EVENT_NAME": e.name, "GITHUB_RUN_ID": "77", "GITHUB_SHA": b.git(dir, "rev-parse", "HEAD"),
	}
	maps.Copy(env, w.Env)
	failed := false
	for _, s := range j.Steps {
		condition := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s.If, "${{"), "}}"))
		if failed && !strings.Contains(condition, "always()") || condition != "" && !truth(evaluate(b.t, condition, context)) {
			continue
		}
		if !b.step(s, dir, env, context, out) {
			failed = true
		}
		for line := range strings.Lines(b.read(env["GITHUB_OUTPUT"])) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				context["steps."+s.ID+".outputs."+key] = value
			}
		}
	}
	out.summary += b.read(env["GITHUB_STEP_SUMMARY"])
	if failed {
		return "failure"
	}
	return "success"
}

// step runs one step, and says whether it succeeded.
func (b *bench) step(s step, dir string, env, context map[string]string, out *outcome) bool {
	b.t.Helper()
	action, _, _ := strings.Cut(s.Uses, "@")
	switch action {
	case "":
		env := maps.Clone(env)
		for name, value := range s.Env {
			env[name] = fillIn(b.t, value, context)
		}
		code, output := b.run(dir, s.Run, env)
		out.output += "# " + s.Name + "\n" + output
		return code == 0
	case "actions/checkout", "actions/setup-go":
		return true
	case "actions/upload-artifact":
		to := b.t.TempDir()
		found := false
		for path := range strings.Lines(s.With["path"]) {
			path = strings.TrimSpace(path)
			if text := b.read(filepath.Join(dir, path)); text != "" {
				found = true
				b.write(filepath.Join(to, path), text, 0o600)
			}
		}
		out.artifacts[s.With["name"]] = to
		return found || s.With["if-no-files-found"] == "ignore"
	}
	b.t.Fatalf("the action %s is not known", s.Uses)
	return false
}

func (b *bench) want(got outcome, results map[string]string) {
	b.t.Helper()
	if diff := cmp.Diff(results, got.results); diff != "" {
		b.t.Errorf("jobs (-want +got):\n%s\n%s", diff, got.output)
	}
}

func (b *bench) contains(what, text string, want ...string) {
	b.t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			b.t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

func TestAPullRequestIsPlannedAndCommentedOnByItsExitCode(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	for name, c := range map[string]struct {
		config, world string
		result        string
		says          string
	}{
		"0, nothing to do":        {calm, world, "success", "There is nothing to do."},
		"1, something is unread":  {changed, unreadable, "failure", "::error title=registry-janitor::The plan failed or is incomplete."},
		"2, there are steps":      {changed, world, "success", "::warning title=registry-janitor::The plan has steps"},
		"3, a limit refuses them": {limited, world, "failure", "::error title=registry-janitor::A limit refuses the plan."},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, janitor, c.world)
			b.propose(map[string]string{"janitor.yaml": c.config})
			b.says("comments.json", `[{"id": 1, "user": {"type": "User"}, "body": "<!-- registry-janitor --> quoted"}]`)
			got := b.start(w, event{name: "pull_request", branch: "change", number: "12"})
			b.want(got, map[string]string{"check": "success", "plan": c.result, "apply": "skipped"})
			b.contains("the log", got.output, c.says)
			b.contains("the summary", got.summary, "### Plan of ", "### What the policies would do")
			b.contains("the comment", b.noted("posted.md"), "<!-- registry-janitor -->\n### What the policies would do", "\n### Plan of ")
			b.contains("what was asked of the host", b.noted("calls"), "gh api --method POST repos/acme/registry/issues/12/comments ")
			if b.read(filepath.Join(got.artifacts["plan"], "PLAN.json")) == "" {
				t.Error("the plan is not kept")
			}
			if d := b.deleted(); len(d) > 0 {
				t.Errorf("a pull request changed the registry: %q", d)
			}
		})
	}
}

func TestACommentIsKeptUpToDate(t *testing.T) {
	tools(t)
	b := newBench(t, program.Build(t), world)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.says("comments.json", `[{"id": 1, "user": {"type": "User"}, "body": "hello"}, {"id": 34, "user": {"type": "Bot"}, "body": "<!-- registry-janitor -->\n### old"}]`)
	got := b.start(readWorkflow(t), event{name: "pull_request", branch: "change", number: "12"})
	b.want(got, map[string]string{"check": "success", "plan": "success", "apply": "skipped"})
	b.contains("what was asked of the host", b.noted("calls"), "gh api --method PATCH repos/acme/registry/issues/comments/34 ")
	b.contains("the comment", b.noted("posted.md"), "Only after: 1 tag to delete", "<code>pr-2</code>")
}

func TestAForkGetsNoCredentialsAndABrokenPolicyNoPlan(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	b := newBench(t, janitor, world)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.want(b.start(w, event{name: "pull_request", branch: "change", number: "12", fork: true}), map[string]string{"check": "success", "plan": "skipped", "apply": "skipped"})
	b.propose(map[string]string{"policies/testing.rego": strings.Replace(keep, "tag.name, \"-testing\"", "tag.nmae, \"-testing\"", 1)})
	got := b.start(w, event{name: "pull_request", branch: "change", number: "12"})
	b.want(got, map[string]string{"check": "failure", "plan": "skipped", "apply": "skipped"})
	b.contains("the log", got.output, "testing.rego")
	b.propose(map[string]string{"policies/testing.rego": strings.Replace(keep, "-testing", "-tested", 1)})
	b.want(b.start(w, event{name: "pull_request", branch: "change", number: "12"}), map[string]string{"check": "failure", "plan": "skipped", "apply": "skipped"})
}

func TestTheFirstPullRequestHasNothingToCompareWith(t *testing.T) {
	tools(t)
	b := newBench(t, program.Build(t), world)
	b.git(b.origin, "rm", "--quiet", "janitor.yaml")
	b.commit("without", nil)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.says("comments.json", "[]")
	got := b.start(readWorkflow(t), event{name: "pull_request", branch: "change", number: "12"})
	b.want(got, map[string]string{"check": "success", "plan": "success", "apply": "skipped"})
	b.contains("the comment", b.noted("posted.md"), "There is no janitor.yaml on the base branch", "### Plan of ")
}

func TestAfterTheMergeTheReviewedPlanIsApplied(t *testing.T) {
	tools(t)
	janitor, w := program.Build(t), readWorkflow(t)
	pull := event{name: "pull_request", branch: "change", number: "12"}
	push := event{name: "push", branch: "main"}
	// review makes a plan on a pull request and merges it.
	review := func(t *testing.T, config string) *bench {
		b := newBench(t, janitor, world)
		b.propose(map[string]string{"janitor.yaml": config})
		b.says("comments.json", "[]")
		got := b.start(w, pull)
		b.want(got, map[string]string{"check": "success", "plan": "success", "apply": "skipped"})
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(got.artifacts["plan"], "PLAN.json")))
		b.merge()
		b.says("pulls.json", `[{"merged_at": null, "merge_commit_sha": null, "head": {"sha": "other"}}, {"merged_at": "2026-11-22T12:00:00Z", "merge_commit_sha": "`+b.git(b.origin, "rev-parse", "main")+`", "head": {"sha": "`+b.git(b.origin, "rev-parse", "change")+`"}}]`)
		b.says("runs.json", `[{"databaseId": 4711}]`)
		return b
	}
	refused := func(t *testing.T, b *bench, e event, want ...string) {
		t.Helper()
		got := b.start(w, e)
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
		got := b.start(w, push)
		b.want(got, map[string]string{"check": "success", "plan": "skipped", "apply": "success"})
		b.contains("the summary", got.summary, "**Applied: 2 done**")
		b.contains("what was asked of the host", b.noted("calls"), "gh run download 4711 --repo acme/registry --name plan", "--commit "+b.git(b.origin, "rev-parse", "change"))
		if d := b.deleted(); len(d) != 2 {
			t.Errorf("deleted %q", d)
		}
		if b.read(filepath.Join(got.artifacts["ledger"], "state", "ledger.db")) == "" {
			t.Error("the ledger is not kept")
		}
		// Applied again, everything is gone already, and that is fine.
		b.want(b.start(w, push), map[string]string{"check": "success", "plan": "skipped", "apply": "success"})
	})
	t.Run("a plan that the policies do not ask for", func(t *testing.T) {
		b := review(t, changed)
		dir := b.checkout("main")
		b.write(filepath.Join(dir, "lax.yaml"), lax, 0o600)
		_, _ = b.run(dir, "registry-janitor plan -c lax.yaml -o forged.json", map[string]string{"SCW_ACCESS_KEY": accessKey, "SCW_SECRET_KEY": secretKey})
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(dir, "forged.json")))
		refused(t, b, push, "delete_tag rg.fr-par.scw.cloud/prod/api:main-1: not_condemned", "do not ask for these steps")
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
		refused(t, b, push, "nobody reviewed a plan")
	})
	t.Run("a pull request without a plan", func(t *testing.T) {
		b := review(t, changed)
		b.says("runs.json", "[]")
		refused(t, b, push, "has no plan that succeeded")
	})
	t.Run("by hand, with a new plan", func(t *testing.T) {
		b := newBench(t, janitor, world)
		b.propose(map[string]string{"janitor.yaml": changed})
		b.merge()
		// The plan job hands its plan to apply in the same run.
		first := *w
		first.Jobs = maps.Clone(w.Jobs)
		delete(first.Jobs, "apply")
		hand := event{name: "workflow_dispatch", branch: "main"}
		b.says("artifacts/plan/PLAN.json", b.read(filepath.Join(b.start(&first, hand).artifacts["plan"], "PLAN.json")))
		b.want(b.start(w, hand), map[string]string{"check": "success", "plan": "success", "apply": "success"})
		b.contains("what was asked of the host", b.noted("calls"), "gh run download 77 ")
		if d := b.deleted(); len(d) != 2 {
			t.Errorf("deleted %q", d)
		}
	})
	t.Run("by hand, on another branch", func(t *testing.T) {
		b := newBench(t, janitor, world)
		b.propose(map[string]string{"janitor.yaml": changed})
		b.want(b.start(w, event{name: "workflow_dispatch", branch: "change"}), map[string]string{"check": "success", "plan": "success", "apply": "skipped"})
	})
}
