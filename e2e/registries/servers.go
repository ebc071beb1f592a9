package registries

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// StartDockerRegistry starts an empty docker-registry for one test, and returns its
// host:port. Everything may be pulled, pushed and deleted there, without a login.
func StartDockerRegistry(t testing.TB) string {
	t.Helper()
	binary := program.Find(t, "docker-registry", "docker-registry")
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := "version: 0.1\nstorage: {filesystem: {rootdirectory: " + filepath.Join(dir, "data") + "}, delete: {enabled: true}}\nhttp: {addr: '127.0.0.1:0'}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command(binary, "serve", config), regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`))
}

// StartEmulator starts the emulator of the program with a world for one test, and returns
// its host:port. It accepts any secret key.
func StartEmulator(t testing.TB, world string) string {
	t.Helper()
	return StartEmulatorOf(t, program.Build(t), world)
}

// StartEmulatorOf is StartEmulator with the path of the program.
func StartEmulatorOf(t testing.TB, binary, world string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(file, []byte(world), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "emulator", "--listen", "127.0.0.1:0", "--world", file)
	return start(t, command, regexp.MustCompile(`serving at http://(127\.0\.0\.1:\d+)`))
}

// start starts a server, and returns the address that it says. It ends with the test.
func start(t testing.TB, command *exec.Cmd, address *regexp.Regexp) string {
	t.Helper()
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended already
		kill := time.AfterFunc(10*time.Second, func() { _ = command.Process.Kill() })
		defer kill.Stop()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(stderr)
	var said string
	for lines.Scan() {
		said += lines.Text() + "\n"
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return found[1]
		}
	}
	t.Fatalf("%s ended:\n%s", command.Path, said)
	return ""
}
