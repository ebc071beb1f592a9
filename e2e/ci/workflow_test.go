package ci

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// workflowFile is the example for GitHub Actions.
func workflowFile(t *testing.T) string {
	return filepath.Join(program.Root(t), "examples", "ci", "github-actions.yaml")
}

func readWorkflow(t *testing.T) *actionlint.Workflow {
	t.Helper()
	text, err := os.ReadFile(workflowFile(t))
	if err != nil {
		t.Fatal(err)
	}
	w, problems := actionlint.Parse(text)
	for _, p := range problems {
		t.Errorf("%s: %v", workflowFile(t), p)
	}
	return w
}

// actionlint checks keys, types of expressions, inputs of actions, expressions that an outsider
// controls, and each script with shellcheck.
func TestActionlintAcceptsEveryWorkflow(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(program.Root(t), ".github", "workflows", "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("workflows of this repository: %q, %v", files, err)
	}
	for _, file := range append(files, workflowFile(t)) {
		for _, p := range lintWorkflow(t, file) {
			t.Errorf("%s: %s", file, p)
		}
	}
}

func TestActionlintFindsMistakes(t *testing.T) {
	text, err := os.ReadFile(workflowFile(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, mistake := range map[string]struct{ from, to, want string }{
		"an unknown key":                 {"timeout-minutes: 10", "timeout: 10", "unexpected key"},
		"an unknown context":             {"github.event_name == 'workflow_dispatch' ||", "github.event_nmae == 'workflow_dispatch' ||", "event_nmae"},
		"an unquoted variable":           {`cat plan.md`, `cat $plan`, "SC2086"},
		"an input that an action lacks":  {"persist-credentials: false", "persist-credential: false", "persist-credential"},
		"a script that takes outer text": {`[ -n "$id" ]`, `[ -n "${{ github.event.pull_request.title }}" ]`, "untrusted"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(string(text), mistake.from, mistake.to, 1)
			file := filepath.Join(t.TempDir(), "workflow.yaml")
			if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if problems := lintWorkflow(t, file); !strings.Contains(strings.Join(problems, "\n"), mistake.want) {
				t.Errorf("actionlint reports %q, want %q", problems, mistake.want)
			}
		})
	}
}

func lintWorkflow(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	linter, err := actionlint.NewLinter(new(bytes.Buffer), &actionlint.LinterOptions{Shellcheck: program.Find(t, "shellcheck", "shellcheck")})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := linter.Lint(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return out
}

// The conditions decide who gets which key, so a change of one has to be deliberate:
//   - a pull request from a fork gets no plan job, and with it no key;
//   - apply runs on main only, after a push or after the plan of a run by hand.
func TestEachJobRunsUnderItsConditions(t *testing.T) {
	type gate struct{ Needs, If string }
	want := map[string]gate{
		"check": {"", ""},
		"plan": {"check", "github.event_name == 'workflow_dispatch' || " +
			"github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository"},
		"apply": {"check plan", "${{ !cancelled() && needs.check.result == 'success' && github.ref == 'refs/heads/main' && " +
			"(github.event_name == 'push' || github.event_name == 'workflow_dispatch' && needs.plan.result == 'success') }}"},
	}
	got := map[string]gate{}
	for name, job := range readWorkflow(t).Jobs {
		var needs []string
		for _, n := range job.Needs {
			needs = append(needs, n.Value)
		}
		got[name] = gate{strings.Join(needs, " "), str(job.If)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions of the jobs (-want +got):\n%s", diff)
	}
}

func TestJobsHaveOnlyThePermissionsThatTheyNeed(t *testing.T) {
	w := readWorkflow(t)
	if w.Permissions == nil || w.Permissions.All != nil || len(w.Permissions.Scopes) != 0 {
		t.Errorf("the workflow has permissions of its own: %+v", w.Permissions)
	}
	want := map[string]map[string]string{
		"check": {"contents": "read"},
		"plan":  {"contents": "read", "pull-requests": "write"},
		"apply": {"actions": "read", "contents": "read", "pull-requests": "read"},
	}
	got := map[string]map[string]string{}
	for name, job := range w.Jobs {
		got[name] = map[string]string{}
		for scope, p := range job.Permissions.Scopes {
			got[name][scope] = p.Value.Value
		}
		if job.TimeoutMinutes == nil || len(job.RunsOn.Labels) != 1 || job.RunsOn.Labels[0].Value != "ubuntu-latest" {
			t.Errorf("%s has no time limit, or another runner: %+v", name, job.RunsOn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

func TestKeysStayInTheProtectedEnvironment(t *testing.T) {
	w := readWorkflow(t)
	for name, job := range w.Jobs {
		for _, s := range job.Steps {
			where := name + ": " + str(s.Name)
			if a, ok := s.Exec.(*actionlint.ExecAction); ok {
				if !strings.Contains(a.Uses.Value, "@v") {
					t.Errorf("%s: %s has no version", where, a.Uses.Value)
				}
				if strings.HasPrefix(a.Uses.Value, "actions/checkout@") && input(a, "persist-credentials") != "false" {
					t.Errorf("%s: the checkout leaves its token behind", where)
				}
			}
			if r, ok := s.Exec.(*actionlint.ExecRun); ok && strings.Contains(r.Run.Value, "${{") {
				t.Errorf("%s: the script has an expression; pass it through env", where)
			}
			for variable, value := range environment(s.Env) {
				if deletes := strings.Contains(value, "secrets.SCW_ACCESS_KEY") || strings.Contains(value, "secrets.SCW_SECRET_KEY"); deletes && job.Environment == nil {
					t.Errorf("%s: %s has the key that can delete, outside of the protected environment", where, variable)
				}
			}
		}
	}
	apply := w.Jobs["apply"]
	if apply.Environment.Name.Value != "registry" || apply.Concurrency.Group.Value != "registry-janitor-apply" || apply.Concurrency.CancelInProgress.Value {
		t.Errorf("apply has the environment %q and the concurrency %+v", apply.Environment.Name.Value, apply.Concurrency)
	}
	if str(w.Defaults.Run.Shell) != "bash" {
		t.Errorf("the shell is %q", str(w.Defaults.Run.Shell))
	}
}

// str returns the value of a key, or nothing.
func str(s *actionlint.String) string {
	if s == nil {
		return ""
	}
	return s.Value
}

func input(a *actionlint.ExecAction, name string) string {
	if in := a.Inputs[name]; in != nil {
		return in.Value.Value
	}
	return ""
}

func environment(e *actionlint.Env) map[string]string {
	out := map[string]string{}
	if e != nil {
		for _, v := range e.Vars {
			out[v.Name.Value] = v.Value.Value
		}
	}
	return out
}
