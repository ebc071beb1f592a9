package ci

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"
)

// event is what starts a workflow.
type event struct {
	name, branch, number string
}

// outcome is what became of a workflow.
type outcome struct {
	results   map[string]string // of jobs: success, failure, skipped
	output    string
	summary   string
	artifacts map[string]string // folders
}

// values are what the expressions of the workflow result in. An expression that is not listed
// fails the test, so the list grows with the workflow.
func (e event) values() map[string]string {
	isPull, base := "false", ""
	if e.name == "pull_request" {
		isPull, base = "true", "main"
	}
	return map[string]string{
		"github.event_name == 'pull_request'": isPull,
		"always()":                            "true",
		"github.base_ref":                     base,
		"github.event.pull_request.number":    e.number,
		"github.token":                        "gh-token",
		"github.server_url":                   "https://github.test",
		"github.repository":                   "acme/registry",
		"github.run_id":                       "77",
		"secrets.SCW_ACCESS_KEY":              accessKey,
		"secrets.SCW_SECRET_KEY":              secretKey,
		"secrets.SCW_PLAN_ACCESS_KEY":         accessKey,
		"secrets.SCW_PLAN_SECRET_KEY":         secretKey,
	}
}

// start runs these jobs of a workflow one after the other, until one fails. The conditions of
// jobs are not evaluated: see TestEachJobRunsUnderItsConditions.
func (b *bench) start(w *actionlint.Workflow, e event, jobs ...string) outcome {
	b.t.Helper()
	// A runner does not have the program: the workflow takes it out of the image.
	if err := os.Remove(filepath.Join(b.bin, "registry-janitor")); err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	out := outcome{results: map[string]string{}, artifacts: map[string]string{}}
	for _, name := range jobs {
		if !b.job(w, name, e, &out) {
			out.results[name] = "failure"
			break
		}
		out.results[name] = "success"
	}
	return out
}

// job runs one job in a fresh checkout, and reports whether it succeeded.
func (b *bench) job(w *actionlint.Workflow, name string, e event, out *outcome) bool {
	b.t.Helper()
	job := w.Jobs[name]
	if job == nil {
		b.t.Fatalf("the workflow has no job %s", name)
	}
	dir, files, values := b.checkout(e.branch), b.t.TempDir(), e.values()
	env := environment(w.Env)
	maps.Copy(env, map[string]string{
		"GITHUB_OUTPUT": filepath.Join(files, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(files, "summary"), "GITHUB_REPOSITORY": "acme/registry",
		"GITHUB_PATH": filepath.Join(files, "path"), "RUNNER_TEMP": files,
		"GITHUB_EVENT_NAME": e.name, "GITHUB_RUN_ID": "77", "GITHUB_SHA": b.git(dir, "rev-parse", "HEAD"),
	})
	succeeded := true
	for _, s := range job.Steps {
		condition := expression(str(s.If))
		if !succeeded && condition != "always()" || condition != "" && b.lookup(values, condition) != "true" {
			continue
		}
		if !b.step(s, dir, env, values, out) {
			succeeded = false
		}
		for line := range strings.Lines(b.read(env["GITHUB_OUTPUT"])) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				values["steps."+str(s.ID)+".outputs."+key] = value
			}
		}
	}
	out.summary += b.read(env["GITHUB_STEP_SUMMARY"])
	return succeeded
}

// step runs one step, and reports whether it succeeded.
func (b *bench) step(s *actionlint.Step, dir string, env, values map[string]string, out *outcome) bool {
	b.t.Helper()
	switch exec := s.Exec.(type) {
	case *actionlint.ExecRun:
		env := maps.Clone(env)
		for name, value := range environment(s.Env) {
			env[name] = b.fillIn(values, value)
		}
		if added := strings.Fields(b.read(env["GITHUB_PATH"])); len(added) > 0 {
			env["PATH"] = strings.Join(append(added, b.bin, os.Getenv("PATH")), string(os.PathListSeparator))
		}
		code, output := b.run(dir, exec.Run.Value, env)
		out.output += "# " + str(s.Name) + "\n" + output
		return code == 0
	case *actionlint.ExecAction:
		return b.action(exec, dir, out)
	}
	b.t.Fatalf("the step %s has an unknown kind", str(s.Name))
	return false
}

// action does what one of the actions does that the workflow uses.
func (b *bench) action(a *actionlint.ExecAction, dir string, out *outcome) bool {
	b.t.Helper()
	switch name, _, _ := strings.Cut(a.Uses.Value, "@"); name {
	case "actions/checkout":
		return true
	case "actions/upload-artifact":
		to := b.t.TempDir()
		found := false
		for path := range strings.Lines(input(a, "path")) {
			path = strings.TrimSpace(path)
			if content := b.read(filepath.Join(dir, path)); content != "" {
				found = true
				b.write(filepath.Join(to, path), content, 0o600)
			}
		}
		out.artifacts[input(a, "name")] = to
		return found || input(a, "if-no-files-found") == "ignore"
	}
	b.t.Fatalf("the action %s is unknown", a.Uses.Value)
	return false
}

var placeholder = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// fillIn replaces the expressions in a text by their values.
func (b *bench) fillIn(values map[string]string, text string) string {
	b.t.Helper()
	return placeholder.ReplaceAllStringFunc(text, func(s string) string { return b.lookup(values, expression(s)) })
}

// expression is an expression without its brackets.
func expression(s string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, "${{"), "}}"))
}

func (b *bench) lookup(values map[string]string, expression string) string {
	b.t.Helper()
	value, ok := values[expression]
	if !ok {
		b.t.Fatalf("the test has no value for the expression %q", expression)
	}
	return value
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
