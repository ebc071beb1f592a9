package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// installed is where the units expect the program.
const installed = "/usr/local/bin/registry-janitor"

// testUnits has systemd itself read the units, with the real program in its
// place, and rate how much the services could do beyond what they need.
func testUnits(t *testing.T, janitor string) {
	analyze := systemdAnalyze(t)
	folder := t.TempDir()
	var units, services []string
	for name, text := range unitFiles(t) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.ReplaceAll(text, installed, janitor)), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, filepath.Join(folder, name))
		if strings.HasSuffix(name, ".service") {
			services = append(services, filepath.Join(folder, name))
		}
	}
	slices.Sort(units)
	// It says what it does not understand, and ends well all the same.
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if about := linesAbout(string(out), folder); err != nil || about != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for _, service := range services {
		// 1.5 of 10; 2 is where systemd itself stops to call a service safe.
		out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=15", service).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, out)
		}
	}
}

// linesAbout leaves out what systemd says about other units of the machine.
func linesAbout(out, folder string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, folder) || strings.Contains(line, "registry-janitor") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// systemdAnalyze is the program of that name. With CI set it has to be there.
func systemdAnalyze(t *testing.T) string {
	t.Helper()
	return program.Find(t, "systemd-analyze", "systemd")
}

func testUnitFlags(t *testing.T, janitor string) {
	for name, text := range unitFiles(t) {
		for _, line := range settings(text, "ExecStart") {
			words := strings.Fields(line)
			if words[0] != installed {
				t.Errorf("%s starts %s", name, words[0])
			}
			checkFlags(t, janitor, name, words[1:])
		}
	}
}

// The daemon and the apply of the timer are the same to the machine: the same
// user, ledger, keys and confinement.
func TestTheServicesAreConfinedAlike(t *testing.T) {
	files := unitFiles(t)
	own := []string{"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "TimeoutStartSec"}
	if diff := cmp.Diff(serviceSettings(files["registry-janitor.service"], own), serviceSettings(files["registry-janitor-apply.service"], own)); diff != "" {
		t.Errorf("the daemon and the apply differ (-daemon +apply):\n%s", diff)
	}
}

// TestTheUnitsBelongTogether: a timer starts the service of its own name, and the
// socket, which listens on loopback alone, is for the daemon of its name.
func TestTheUnitsBelongTogether(t *testing.T) {
	files := unitFiles(t)
	for name := range files {
		base, kind, _ := strings.Cut(name, ".")
		if _, ok := files[base+".service"]; !ok {
			t.Errorf("there is no service for the %s %s", kind, base)
		}
	}
	for _, address := range settings(files["registry-janitor.socket"], "ListenStream") {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("the socket listens on %s", address)
		}
	}
	daemon := files["registry-janitor.service"]
	if !slices.Contains(settings(daemon, "Requires"), "registry-janitor.socket") || !strings.Contains(daemon, "--web.systemd-socket") {
		t.Error("the daemon does not take its socket")
	}
	if got := settings(daemon, "LoadCredential"); !slices.Equal(got, []string{"scw-config:/etc/registry-janitor/scw-config.yaml"}) {
		t.Errorf("the keys come from %q", got)
	}
}

// unitFiles are the units of the examples by name.
func unitFiles(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(program.Root(t), "examples", "systemd", "registry-janitor*"))
	if err != nil || len(found) != 4 {
		t.Fatalf("there are the units %q (%v): want a service with its socket, and one with its timer", found, err)
	}
	files := map[string]string{}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(file)] = string(text)
	}
	return files
}

// settings are the values of a key in a unit, in order.
func settings(text, key string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && name == key {
			out = append(out, value)
		}
	}
	return out
}

// serviceSettings are the lines of the section Service, but for some keys.
func serviceSettings(text string, without []string) []string {
	_, section, _ := strings.Cut(text, "[Service]\n")
	section, _, _ = strings.Cut(section, "[Install]")
	var out []string
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		key, _, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") && !slices.Contains(without, key) {
			out = append(out, line)
		}
	}
	return slices.Sorted(slices.Values(out))
}
