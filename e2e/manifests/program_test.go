package manifests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// TestTheProgram has the tests that need the real program, to build it only once.
func TestTheProgram(t *testing.T) {
	janitor := program.Build(t)
	for name, test := range map[string]func(*testing.T, string){
		"it takes the manifests":             testTheManifests,
		"it takes the chart":                 testTheChart,
		"its database is in the environment": testTheDatabase,
		"it has what the guide says":         testTheGuide,
		"systemd understands its units":      testUnits,
		"it has the flags of its units":      testUnitFlags,
	} {
		t.Run(name, func(t *testing.T) { test(t, janitor) })
	}
}

// testTheManifests checks that the program accepts the configuration that each overlay
// mounts, and every flag of its container.
func testTheManifests(t *testing.T, janitor string) {
	for _, name := range overlays() {
		b := build(t, "overlays/"+name)
		for _, c := range b.configs {
			for key, content := range c.Data {
				checkConfiguration(t, janitor, name+", "+c.Name, key, content)
			}
		}
		for _, p := range b.pods {
			args := p.spec.Containers[0].Args
			checkFlags(t, janitor, name, args)
			config := "--config=/etc/registry-janitor/janitor.yaml"
			if !slices.Contains(args, config) {
				t.Errorf("%s: the arguments %q lack %s", name, args, config)
			}
		}
	}
	checkFlags(t, janitor, "the component", []string{"apply", "--metrics.push-url=http://x"})
}

// checkConfiguration has the program check a configuration.
func checkConfiguration(t *testing.T, janitor, who, key, content string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), key)
	content = strings.ReplaceAll(content, "/var/lib/registry-janitor", t.TempDir()) // the volume
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(janitor, "config", "check", "-c", file).CombinedOutput(); err != nil {
		t.Errorf("%s: config check: %v\n%s", who, err, out)
	}
}

// checkFlags looks for the flags in the help of the command, so that it need not run the
// command.
func checkFlags(t *testing.T, janitor, who string, args []string) {
	t.Helper()
	command := commandOf(args)
	help, err := exec.Command(janitor, append(command, "--help")...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s --help: %v\n%s", who, command, err, help)
	}
	if usage := "registry-janitor " + strings.Join(command, " "); !strings.Contains(string(help), usage) {
		t.Errorf("%s: the command %s does not exist", who, usage)
	}
	words := strings.Fields(strings.ReplaceAll(string(help), ",", " "))
	for _, flag := range flagsOf(args) {
		if !slices.Contains(words, flag) {
			t.Errorf("%s: %s has no flag %s", who, command, flag)
		}
	}
}

// commandOf returns the words before the first flag or argument.
func commandOf(args []string) []string {
	n := 1
	if len(args) > 1 && slices.Contains([]string{"config", "policy", "history"}, args[0]) && regexp.MustCompile(`^[a-z]+$`).MatchString(args[1]) {
		n = 2
	}
	return slices.Clone(args[:n])
}

// testTheGuide checks every command of docs/operations.md in the same way.
func testTheGuide(t *testing.T, janitor string) {
	guide, err := os.ReadFile(filepath.Join(program.Root(t), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, m := range regexp.MustCompile("(?m)^\\$ registry-janitor (.*)$|`registry-janitor ([^`]*)`").FindAllStringSubmatch(string(guide), -1) {
		command, _, _ := strings.Cut(m[1]+m[2], "#")
		seen++
		checkFlags(t, janitor, "the guide", strings.Fields(command))
	}
	if seen < 15 {
		t.Errorf("the guide has only %d commands", seen)
	}
}

// kustomize cannot change a file inside of a config map, so overlays have whole files.
// The test keeps them equal, except for one key.
func TestTheConfigurationsDifferInOneKey(t *testing.T) {
	base := document(t, "base")
	for _, tt := range []struct {
		overlay, key string
	}{
		{"daemon-ha", "ledger"},
		{"in-use", "protect"},
	} {
		other := document(t, filepath.Join("overlays", tt.overlay))
		if cmp.Equal(base[tt.key], other[tt.key]) {
			t.Errorf("%s does not change %s", tt.overlay, tt.key)
		}
		other[tt.key] = base[tt.key]
		if diff := cmp.Diff(base, other); diff != "" {
			t.Errorf("%s changes more than %s (-base +overlay):\n%s", tt.overlay, tt.key, diff)
		}
	}
}

// testTheDatabase starts the program with the environment of the pod and a closed port.
// The error names the database, and not the password.
func testTheDatabase(t *testing.T, janitor string) {
	b := build(t, "overlays/daemon-ha")
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	if err := os.WriteFile(file, []byte(b.configs["registry-janitor"].Data["janitor.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(janitor, "history", "-c", file)
	values := map[string]string{"PGHOST": "127.0.0.1", "PGPORT": "1", "PGDATABASE": "records", "PGUSER": "janitor", "PGPASSWORD": "hush-hush", "PGSSLMODE": "disable"}
	for _, e := range b.pods[0].spec.Containers[0].Env {
		if value, ok := values[e.Name]; ok {
			cmd.Env = append(cmd.Env, e.Name+"="+value)
			delete(values, e.Name)
		}
	}
	if len(values) > 0 {
		t.Errorf("the pod lacks the variables %v", values)
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the program reached a database:\n%s", out)
	}
	if !strings.Contains(string(out), "the ledger records on PostgreSQL at 127.0.0.1") || strings.Contains(string(out), "hush-hush") {
		t.Errorf("the error is:\n%s", out)
	}
}

// document reads a janitor.yaml of the examples.
func document(t *testing.T, folder string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(program.Root(t), "examples", "kubernetes", folder, "janitor.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := yaml.UnmarshalStrict(content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// keysOf returns the names in an example of an env file.
func keysOf(t *testing.T, name string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(program.Root(t), "examples", "kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for line := range strings.Lines(string(content)) {
		if key, _, ok := strings.Cut(line, "="); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// copyTree copies the folder of the examples, so that a test can change it.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func typeName(o any) string { return fmt.Sprintf("%T", o) }

func itoa(n int32) string { return strconv.Itoa(int(n)) }
