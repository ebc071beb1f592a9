package ci

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// bench has a repository with a pipeline, a registry, and a machine that runs jobs.
type bench struct {
	t       *testing.T
	bin     string // programs, some of them stand-ins
	stubs   string // answers and notes of the stand-ins
	origin  string // the repository on its host
	home    string
	api     string // address of the emulator
	program string
}

// configs of the repository.
const (
	base    = "retention: [{name: prs, match: {tags: [\"pr-*\"]}, delete: {older_than: 60d}}]\npolicies: [policies/]\n"
	changed = "retention: [{name: prs, match: {tags: [\"pr-*\"]}, delete: {older_than: 14d}}]\npolicies: [policies/]\n"
	limited = changed + "limits: {max_deletions: 1}\n"
	hasty   = changed + "limits: {max_plan_age: 1ms}\n"
	lax     = "retention: [{name: prs, match: {tags: [\"*-*\"]}, delete: {older_than: 1d}}]\npolicies: [policies/]\nlimits: {max_deletion_percent: 100}\n"
	calm    = "retention: [{name: prs, match: {tags: [\"pr-*\"]}, delete: {older_than: 5y}}]\npolicies: [policies/]\n"
)

const keep = `# METADATA
# title: Keep builds under test
package janitor.image.testing

keep contains tag.name if {
	some tag in input.tags
	endswith(tag.name, "-testing")
}
`

const keepTest = `package janitor.image.testing_test

import data.janitor.image.testing

test_keeps if testing.keep == {"pr-1-testing"} with input as {"tags": [{"name": "pr-1-testing"}, {"name": "pr-2"}]}
`

// worlds of the registry.
const (
	world = `namespaces:
  - {name: prod, region: fr-par, age: 400d, images: [
      {name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 90d}, {name: pr-2, age: 40d}, {name: pr-3-testing, age: 40d},
        {name: main-1, age: 40d}, {name: main-2, age: 30d}, {name: v1.0.0, age: 90d}]}]}
`
	unreadable = world + "faults: [{method: GET, path: \"/images/*/tags\", status: 403}]\n"
)

// newBench makes a bench with a program and a registry.
func newBench(t *testing.T, janitor, registry string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, program: janitor}
	for name, to := range map[string]*string{"bin": &b.bin, "stubs": &b.stubs, "origin": &b.origin, "home": &b.home} {
		*to = filepath.Join(dir, name)
		if err := os.Mkdir(*to, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range standIns {
		b.write(filepath.Join(b.bin, name), "#!/bin/bash\n"+script, 0o700)
	}
	for _, folder := range []string{b.bin, b.stubs} {
		if err := os.Symlink(janitor, filepath.Join(folder, "registry-janitor")); err != nil {
			t.Fatal(err)
		}
	}
	b.api = b.emulator(filepath.Join(dir, "world.yaml"), registry)
	b.git(b.origin, "init", "--quiet", "--initial-branch=main")
	b.commit("base", map[string]string{"janitor.yaml": base, "policies/testing.rego": keep, "policies/testing_test.rego": keepTest})
	return b
}

// standIns replace the programs that install others or talk to the host. They write down how
// they are called, and answer from files.
var standIns = map[string]string{
	"docker": `echo "docker $*" >> "$STUBS/calls"
case "$*" in
	"create --name registry-janitor ghcr.io/registry-janitor/registry-janitor:"*) touch "$STUBS/created" ;;
	"cp registry-janitor:/usr/local/bin/registry-janitor "*) [ -f "$STUBS/created" ] && cp "$STUBS/registry-janitor" "$3" ;;
	*) exit 125 ;;
esac`,
	"gh": `echo "gh $*" >> "$STUBS/calls"
filter=. file= method=GET
for a in "$@"; do
	case "$before" in
		--jq) filter=$a ;;
		--method) method=$a ;;
		-F) cp "${a#body=@}" "$STUBS/posted.md" ;;
	esac
	before=$a
done
case "$*" in
	"run download "*) cp "$STUBS/artifacts/plan/"* . ; exit ;;
	"run list "*) file=runs.json ;;
	*"/pulls "*) file=pulls.json ;;
	*"/comments "*) file=comments.json ;;
esac
[ "$method" = GET ] || { echo '{}'; exit; }
jq -r "$filter" "$STUBS/$file"`,
	"curl": `echo "curl $*" >> "$STUBS/calls"
for a in "$@"; do
	case "$before" in
		--data-urlencode) cp "${a#body@}" "$STUBS/posted.md" ;;
		--config) grep -q 'PRIVATE-TOKEN: t0ken' "$a" || exit 22 ;;
	esac
	before=$a
done
case "$*" in *"--request "*) ;; *) cat "$STUBS/notes.json" ;; esac`,
}

func (b *bench) write(path, text string, mode os.FileMode) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) read(path string) string {
	b.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return string(text)
}

// says sets the answer of a stand-in; noted returns what it recorded.
func (b *bench) says(file, text string) { b.write(filepath.Join(b.stubs, file), text, 0o600) }
func (b *bench) noted(file string) string {
	return b.read(filepath.Join(b.stubs, file))
}

func (b *bench) git(dir string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+b.home, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit changes files on the current branch of the host.
func (b *bench) commit(message string, files map[string]string) {
	b.t.Helper()
	for name, text := range files {
		b.write(filepath.Join(b.origin, name), text, 0o600)
	}
	b.git(b.origin, "add", "--all")
	b.git(b.origin, "commit", "--quiet", "--message", message)
}

// propose changes files on a new branch.
func (b *bench) propose(files map[string]string) {
	b.t.Helper()
	b.git(b.origin, "checkout", "--quiet", "-B", "change", "main")
	b.commit("change", files)
}

// merge merges that branch.
func (b *bench) merge() {
	b.t.Helper()
	b.git(b.origin, "checkout", "--quiet", "main")
	b.git(b.origin, "merge", "--quiet", "--no-ff", "change")
}

// checkout returns the folder of a fresh clone of a branch.
func (b *bench) checkout(branch string) string {
	b.t.Helper()
	dir := filepath.Join(b.t.TempDir(), "work")
	b.git(b.home, "clone", "--quiet", "--branch", branch, b.origin, dir)
	return dir
}

var address = regexp.MustCompile(`http://\S+`)

// emulator starts a registry that stops with the test.
func (b *bench) emulator(file, text string) string {
	b.t.Helper()
	b.write(file, text, 0o600)
	cmd := exec.Command(b.program, "emulator", "--listen", "127.0.0.1:0", "--world", file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		b.t.Fatalf("the emulator printed %q: %v", line, err)
	}
	return address.FindString(line)
}

// deleted lists the changes that the registry received.
func (b *bench) deleted() []string {
	b.t.Helper()
	answer, err := http.Get(b.api + "/_emulator/requests")
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var log []struct{ Method, Path string }
	if err := json.Unmarshal(body, &log); err != nil {
		b.t.Fatalf("%v: %s", err, body)
	}
	var out []string
	for _, r := range log {
		if r.Method != http.MethodGet {
			out = append(out, r.Method+" "+r.Path)
		}
	}
	return out
}

// run runs a script as a runner does, and returns its exit code and output.
func (b *bench) run(dir, script string, env map[string]string) (code int, output string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "script.sh")
	b.write(file, script, 0o600)
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + b.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + b.home, "TMPDIR=" + b.t.TempDir(), "STUBS=" + b.stubs,
		"SCW_API_URL=" + b.api, "GIT_CONFIG_NOSYSTEM=1",
	}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// tools ends a test if programs of a runner are missing.
func tools(t *testing.T) {
	t.Helper()
	for _, name := range []string{"bash", "git", "jq"} {
		if _, err := exec.LookPath(name); err != nil {
			program.Missing(t, name, name)
		}
	}
}

// checkShell checks a script with bash and shellcheck.
func checkShell(t *testing.T, where, script string) {
	t.Helper()
	check := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Stdin = strings.NewReader("#!/bin/bash\n" + script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v\n%s", where, name, err, out)
		}
	}
	check("bash", "-n")
	if _, err := exec.LookPath("shellcheck"); err != nil {
		program.Missing(t, "shellcheck", "shellcheck")
	}
	check("shellcheck", "-")
}

// The emulator accepts any credentials.
const (
	accessKey = "SCWXXXXXXXXXXXXXXXXX"
	secretKey = "11111111-1111-1111-1111-111111111111"
)
