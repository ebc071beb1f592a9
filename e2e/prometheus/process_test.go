package prometheus

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// patience is the time within which everything has to happen.
const patience = 30 * time.Second

// poll repeats a question until the answer is yes.
func poll(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatalf("not within %s: %s", patience, what)
}

// find returns the path of a program. See program.Missing for one that is not
// installed.
func find(t *testing.T, name string) string {
	t.Helper()
	return program.Find(t, name, map[string]string{
		"promtool": "prometheus", "prometheus": "prometheus", "amtool": "prometheus-alertmanager",
		"prometheus-alertmanager": "prometheus-alertmanager", "prometheus-pushgateway": "prometheus-pushgateway",
	}[name])
}

// output collects the output of a process.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process runs until the end of its test.
type process struct {
	name string
	out  *output
	done chan struct{} // closed when the process has ended
}

func start(t *testing.T, dir string, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(name), out: new(output), done: make(chan struct{})}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), p.out, p.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the output has the reason
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-p.done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("%s ignores SIGTERM", p.name)
		}
		if t.Failed() {
			t.Logf("%s:\n%s", p.name, p.out)
		}
	})
	return p
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// says waits for a line that matches, and returns its first group.
func (p *process) says(t *testing.T, pattern string) string {
	t.Helper()
	line := regexp.MustCompile(pattern)
	var found []string
	poll(t, p.name+" says "+pattern, func() bool {
		found = line.FindStringSubmatch(p.out.String())
		if found == nil && p.ended() {
			t.Fatalf("%s ended:\n%s", p.name, p.out)
		}
		return found != nil
	})
	return found[1]
}

// listen starts a program that cannot print its port. It tries ports that were free a
// moment ago, and another one if a different program was faster.
func listen(t *testing.T, up func(address string) bool, begin func(address string) *process) string {
	t.Helper()
	for range 5 {
		address := free(t)
		p := begin(address)
		poll(t, p.name+" is up at "+address, func() bool { return p.ended() || up(address) })
		if !p.ended() {
			return address
		}
		if !strings.Contains(p.out.String(), "address already in use") {
			t.Fatalf("%s ended:\n%s", p.name, p.out)
		}
	}
	t.Fatal("every port is in use")
	return ""
}

// free returns an address with an unused port.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run runs a program until it ends.
func run(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// example returns the text of a file in examples/.
func example(t *testing.T, name string) string {
	t.Helper()
	return read(t, filepath.Join(program.Root(t), "examples", filepath.FromSlash(name)))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
