// Package program builds and starts the real program for the tests of this
// module. It must never start a program from outside of this repository.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build builds the program for one test, and returns its path.
func Build(t testing.TB) string {
	t.Helper()
	root := Root(t)
	out := filepath.Join(t.TempDir(), "registry-janitor")
	cmd := exec.Command("go", "build", "-o", out, "./cmd/registry-janitor")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, output)
	}
	return out
}

// Tool returns the path of a program that is installed or, for one test, built as the
// module of that name in tools says.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "tool")
	cmd.Dir = filepath.Join(Root(t), "tools", name)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, output)
	}
	return filepath.Join(dir, name)
}

// Missing ends a test because a program is not installed. It fails the test if CI is
// set, and skips it otherwise.
func Missing(t testing.TB, name, debianPackage string) {
	t.Helper()
	message := name + " is not installed, so this test does not run: apt-get install " + debianPackage
	if os.Getenv("CI") != "" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// Find returns the path of an installed program. See Missing for one that is not
// installed.
func Find(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name, debianPackage)
	}
	return path
}

// Root returns the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// findRoot looks upwards for the folder of the main module.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "registry-janitor")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("the repository is not above %s", dir)
		}
		dir = parent
	}
}
