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

// installed is the path of the program in the units.
const installed = "/usr/local/bin/registry-janitor"

// testUnits lets systemd read the units, with the real program in its place, and rate
// the exposure of the services.
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
	// It prints what it does not understand, and exits with 0 anyway.
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if about := linesAbout(string(out), folder); err != nil || about != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for _, service := range services {
		// 1.5 of 10; below 2, systemd calls a service safe.
		out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=15", service).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, out)
		}
	}
}

// linesAbout drops the lines about other units of the machine.
func linesAbout(out, folder string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, folder) || strings.Contains(line, "registry-janitor") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// systemdAnalyze returns the path of that program.
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

// The daemon and the apply of the timer have the same user, ledger, keys and
// confinement.
func TestTheServicesAreConfinedAlike(t *testing.T) {
	files := unitFiles(t)
	own := []string{"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "TimeoutStartSec"}
	if diff := cmp.Diff(serviceSettings(files["registry-janitor.service"], own), serviceSettings(files["registry-janitor-apply.service"], own)); diff != "" {
		t.Errorf("the daemon and the apply differ (-daemon +apply):\n%s", diff)
	}
}

// A timer starts the service of its name. The socket listens on the loopback address
// only, and belongs to the daemon of its name.
func TestTheUnitsReferToEachOther(t *testing.T) {
	files := unitFiles(t)
	for name := range files {
		base, kind, _ := strings.Cut(name, ".")
		if _, ok := files[base+".service"]; !ok {
			t.Errorf("the %s %s has no service", kind, base)
		}
	}
	for _, address := range settings(files["registry-janitor.socket"], "ListenStream") {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("the socket listens on %s", address)
		}
	}
	daemon := files["registry-janitor.service"]
	if !slices.Contains(settings(daemon, "Requires"), "registry-janitor.socket") || !strings.Contains(daemon, "--web.systemd-socket") {
		t.Error("the daemon does not use its socket")
	}
	if got := settings(daemon, "LoadCredential"); !slices.Equal(got, []string{"scw-config:/etc/registry-janitor/scw-config.yaml"}) {
		t.Errorf("the keys come from %q", got)
	}
}

// unitFiles returns the units of the examples by name.
func unitFiles(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(program.Root(t), "examples", "systemd", "registry-janitor*"))
	if err != nil || len(found) != 4 {
		t.Fatalf("the units are %q (%v), want a service with its socket, and one with its timer", found, err)
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

// settings returns the values of a key in a unit, in order.
func settings(text, key string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && name == key {
			out = append(out, value)
		}
	}
	return out
}

// serviceSettings returns the lines of the section Service, except some keys.
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
