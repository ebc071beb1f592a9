package ci

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// gitlabJob has the keys of GitLab CI that this pipeline uses. Any other key is an error.
type gitlabJob struct {
	Extends      list              `yaml:"extends"`
	Image        string            `yaml:"image"`
	Stage        string            `yaml:"stage"`
	Variables    map[string]string `yaml:"variables"`
	BeforeScript []string          `yaml:"before_script"`
	Script       []string          `yaml:"script"`
	Rules        []struct {
		If      string   `yaml:"if"`
		Changes []string `yaml:"changes"`
		When    string   `yaml:"when"`
	} `yaml:"rules"`
	Needs []struct {
		Job       string `yaml:"job"`
		Artifacts bool   `yaml:"artifacts"`
	} `yaml:"needs"`
	AllowFailure struct {
		ExitCodes []int `yaml:"exit_codes"`
	} `yaml:"allow_failure"`
	Environment struct {
		Name string `yaml:"name"`
	} `yaml:"environment"`
	ResourceGroup string `yaml:"resource_group"`
	Artifacts     struct {
		When     string   `yaml:"when"`
		ExpireIn string   `yaml:"expire_in"`
		Paths    []string `yaml:"paths"`
		Reports  struct {
			JUnit string `yaml:"junit"`
		} `yaml:"reports"`
	} `yaml:"artifacts"`
}

type pipeline struct {
	Variables map[string]string    `yaml:"variables"`
	Stages    []string             `yaml:"stages"`
	Jobs      map[string]gitlabJob `yaml:",inline"`
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

// readPipeline reads the pipeline, and adds to each job what it extends.
func readPipeline(t *testing.T) *pipeline {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(program.Root(t), "examples", "ci", ".gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	p, d := new(pipeline), yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(p); err != nil {
		t.Fatal(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("the file has a second document: %v", err)
	}
	for name, j := range p.Jobs {
		for _, from := range j.Extends {
			template, ok := p.Jobs[from]
			if !ok {
				t.Fatalf("%s extends %s, which does not exist", name, from)
			}
			if j.Image == "" {
				j.Image = template.Image
			}
			if j.BeforeScript == nil {
				j.BeforeScript = template.BeforeScript
			}
			if j.Rules == nil {
				j.Rules = template.Rules
			}
		}
		p.Jobs[name] = j
	}
	return p
}

func (p *pipeline) names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Jobs)), func(n string) bool { return strings.HasPrefix(n, ".") })
}

func TestThePipelineIsComplete(t *testing.T) {
	p := readPipeline(t)
	for _, name := range p.names() {
		j := p.Jobs[name]
		if !slices.Contains(p.Stages, j.Stage) || j.Image != "$JANITOR_IMAGE" || len(j.Script) == 0 || len(j.Rules) == 0 {
			t.Errorf("%s is incomplete: %+v", name, j)
		}
		for _, n := range j.Needs {
			if _, ok := p.Jobs[n.Job]; !ok {
				t.Errorf("%s needs %s, which does not exist", name, n.Job)
			}
		}
		checkShell(t, name, strings.Join(slices.Concat(j.BeforeScript, j.Script), "\n"))
	}
	// The image has the tools that the scripts call: Dockerfile.release.
	if image := p.Variables["JANITOR_IMAGE"]; image != "ghcr.io/registry-janitor/registry-janitor:ci" {
		t.Errorf("the image is %s", image)
	}
	apply := p.Jobs["registry apply"]
	if apply.ResourceGroup != "registry" || apply.Environment.Name != "registry" {
		t.Errorf("apply has the group %q and the environment %q", apply.ResourceGroup, apply.Environment.Name)
	}
	for _, r := range apply.Rules {
		if r.When != "manual" || !strings.HasPrefix(r.If, "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && ") {
			t.Errorf("apply starts without a person, or on any branch: %+v", r)
		}
	}
	if got := p.Jobs["registry plan"].AllowFailure.ExitCodes; !slices.Equal(got, []int{2}) {
		t.Errorf("the allowed exit codes are %v", got)
	}
}

// runJob runs a job in one shell, as a runner does. The result is success, warning or failure.
func (b *bench) runJob(p *pipeline, name, dir string, env map[string]string) (result, output string) {
	b.t.Helper()
	j := p.Jobs[name]
	all := map[string]string{
		"CI_PROJECT_DIR": dir, "CI_PROJECT_ID": "9", "CI_API_V4_URL": "https://gitlab.test/api/v4", "SCW_ACCESS_KEY": accessKey, "SCW_SECRET_KEY": secretKey,
	}
	maps.Copy(all, p.Variables)
	maps.Copy(all, env)
	code, output := b.run(dir, strings.Join(slices.Concat(j.BeforeScript, j.Script), "\n"), all)
	switch {
	case code == 0:
		return "success", output
	case slices.Contains(j.AllowFailure.ExitCodes, code):
		return "warning", output
	}
	return "failure", output
}

func TestAMergeRequestIsPlannedAndNotedByItsExitCode(t *testing.T) {
	tools(t)
	janitor, p := program.Build(t), readPipeline(t)
	request := map[string]string{"CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "REGISTRY_JANITOR_TOKEN": "t0ken"}
	for name, c := range map[string]struct{ config, world, result, tests string }{
		"0, nothing to do":        {calm, world, "success", `failures="0" errors="0"`},
		"1, something is unread":  {changed, unreadable, "failure", `type="gap"`},
		"2, there are steps":      {changed, world, "warning", `failures="0" errors="0"`},
		"3, a limit refuses them": {limited, world, "failure", `type="refused"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, janitor, c.world)
			b.propose(map[string]string{"janitor.yaml": c.config})
			b.says("notes.json", `[{"id": 1, "body": "see <!-- registry-janitor -->"}]`)
			dir := b.checkout("change")
			if result, output := b.runJob(p, "registry policies", dir, request); result != "success" {
				t.Errorf("the policies: %s\n%s", result, output)
			}
			b.contains("the tests of policies", b.read(filepath.Join(dir, "policy-tests.xml")), "<testsuites ", `failures="0"`)
			result, output := b.runJob(p, "registry plan", dir, request)
			if result != c.result {
				t.Errorf("the plan: %s, want %s\n%s", result, c.result, output)
			}
			b.contains("the tests", b.read(filepath.Join(dir, "plan.xml")), "<testsuites name=\"registry-janitor plan\"", c.tests)
			b.contains("the note", b.noted("posted.md"), "<!-- registry-janitor -->\n### What the policies would do", "\n### Plan of ")
			calls := b.noted("calls")
			b.contains("what was asked of the host", calls, "--request POST --data-urlencode body@note.md --output /dev/null https://gitlab.test/api/v4/projects/9/merge_requests/12/notes\n")
			if strings.Contains(calls+output, "t0ken") {
				t.Errorf("the token shows:\n%s\n%s", calls, output)
			}
			for _, path := range p.Jobs["registry plan"].Artifacts.Paths {
				if b.read(filepath.Join(dir, path)) == "" {
					t.Errorf("%s is not there to be kept", path)
				}
			}
			if d := b.deleted(); len(d) > 0 {
				t.Errorf("a merge request changed the registry: %q", d)
			}
		})
	}
}

func TestANoteIsKeptUpToDateAndNeedsAToken(t *testing.T) {
	tools(t)
	p, b := readPipeline(t), newBench(t, program.Build(t), world)
	b.propose(map[string]string{"janitor.yaml": changed})
	b.says("notes.json", `[{"id": 1, "body": "hello"}, {"id": 34, "body": "<!-- registry-janitor -->\n### old"}]`)
	request := map[string]string{"CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
	if result, output := b.runJob(p, "registry plan", b.checkout("change"), request); result != "warning" || strings.Contains(b.noted("calls"), "curl") {
		t.Errorf("without a token: %s\n%s\n%s", result, b.noted("calls"), output)
	}
	request["REGISTRY_JANITOR_TOKEN"] = "t0ken"
	if result, output := b.runJob(p, "registry plan", b.checkout("change"), request); result != "warning" {
		t.Errorf("with a token: %s\n%s", result, output)
	}
	b.contains("what was asked of the host", b.noted("calls"), "--request PUT --data-urlencode body@note.md --output /dev/null https://gitlab.test/api/v4/projects/9/merge_requests/12/notes/34\n")
}

func TestAfterTheMergeThePlanOfThePipelineIsApplied(t *testing.T) {
	tools(t)
	p, janitor := readPipeline(t), program.Build(t)
	for name, c := range map[string]struct {
		config, result string
		deletions      int
	}{
		"as it was": {changed, "success", 2},
		"too old":   {hasty, "failure", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, janitor, world)
			b.propose(map[string]string{"janitor.yaml": c.config})
			b.merge()
			planned := b.checkout("main")
			if result, output := b.runJob(p, "registry plan", planned, nil); result != "warning" {
				t.Errorf("the plan: %s\n%s", result, output)
			}
			dir := b.checkout("main")
			b.write(filepath.Join(dir, "PLAN.json"), b.read(filepath.Join(planned, "PLAN.json")), 0o600)
			result, output := b.runJob(p, "registry apply", dir, nil)
			if result != c.result || len(b.deleted()) != c.deletions {
				t.Errorf("apply: %s, deleted %q\n%s", result, b.deleted(), output)
			}
		})
	}
}
