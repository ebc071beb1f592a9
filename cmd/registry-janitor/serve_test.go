package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const daemonWorld = `namespaces:
  - {name: prod, age: 400d, images: [{name: api, tags: [{name: latest, age: 2h}, {name: v1.0.0, age: 90d}, {name: pr-1, age: 40d}]}]}
`

const daemonConfig = `retention: [{match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}
ledger: {dsn: runs.db}
schedules: [{name: yearly, cron: "@yearly", do: apply}]
`

// daemonProcess is a real daemon in a separate process.
type daemonProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string // where it is reached

	mu  sync.Mutex
	log strings.Builder
}

// startDaemon starts a daemon and waits until it listens.
func startDaemon(t *testing.T, file, api string, flags ...string) *daemonProcess {
	t.Helper()
	d := &daemonProcess{t: t}
	d.cmd = exec.Command("registry-janitor", append([]string{"serve", "-c", file, "--web.listen-address", "127.0.0.1:0"}, flags...)...)
	d.cmd.Env = serveEnv(file, api)
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.cmd.Wait() })
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			d.mu.Lock()
			d.log.WriteString(s.Text() + "\n")
			d.mu.Unlock()
			if _, address, ok := strings.Cut(s.Text(), "msg=listening address="); ok {
				lines <- address
			}
		}
	}()
	address, ok := <-lines
	if !ok {
		t.Fatalf("it does not listen:\n%s", d.logged())
	}
	d.base = "http://" + address
	return d
}

func serveEnv(file, api string) []string {
	return append(os.Environ(), "HOME="+filepath.Dir(file), "SCW_API_URL="+api,
		"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
}

func (d *daemonProcess) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// until waits for something that happens soon, and fails if it does not.
func (d *daemonProcess) until(what string, f func() bool) {
	d.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("not so within 30 s: %s\n%s", what, d.logged())
		}
	}
}

func (d *daemonProcess) get(path string) string {
	d.t.Helper()
	response, err := http.Get(d.base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(body)
}

func (d *daemonProcess) leads() bool {
	var status struct{ Leads bool }
	if err := json.Unmarshal([]byte(d.get("/api/v1/status")), &status); err != nil {
		d.t.Fatal(err)
	}
	return status.Leads
}

func serveSite(t *testing.T) (file, api string) {
	t.Helper()
	world, err := worlds.Parse("world.yaml", []byte(daemonWorld))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	file = filepath.Join(t.TempDir(), "janitor.yaml")
	writeText(t, file, daemonConfig)
	return file, server.URL
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	file, api := serveSite(t)
	d := startDaemon(t, file, api, "--run-at-start")
	d.until("the first run deletes the old tag", func() bool {
		return strings.Contains(d.logged(), `msg="run finished" kind=apply trigger=start run=1 exit=0`)
	})
	if page := d.get("/"); !strings.Contains(page, "pr-1") || !strings.Contains(page, "yearly") {
		t.Errorf("the page lacks the run or the schedule:\n%s", page)
	}

	// A signal has the configuration read again, and a bad one changes nothing.
	writeText(t, file, "nonsense: true\n")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.until("the bad configuration is reported", func() bool {
		return strings.Contains(d.logged(), "was not loaded, and the previous one stays in force")
	})
	d.until("the metric says so", func() bool {
		return strings.Contains(d.get("/metrics"), "registry_janitor_config_last_reload_success 0")
	})
	if page := d.get("/"); !strings.Contains(page, "nonsense") {
		t.Errorf("the page does not show why:\n%s", page)
	}
	// So does a change of the file, without anybody's asking.
	writeText(t, file, daemonConfig+"timezone: Europe/Paris\n")
	d.until("the good configuration is loaded", func() bool { return strings.Contains(d.get("/api/v1/status"), `"timezone":"Europe/Paris"`) })

	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("it ends with %v\n%s", err, d.logged())
	}
	if strings.Contains(d.logged(), "11111111-1111") {
		t.Error("the secret key is in the log")
	}
}

// A daemon that explains and plans for weeks must not gather connections.
func TestServeKeepsNoConnections(t *testing.T) {
	t.Parallel()
	file, api := serveSite(t)
	d := startDaemon(t, file, api)
	d.until("it works", d.leads)
	open := func(explanations int) int {
		for range explanations {
			response, err := http.Post(d.base+"/api/v1/explain?ref=rg.fr-par.scw.cloud/prod/api:pr-1", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Fatalf("no explanation: %s: %s", response.Status, body)
			}
		}
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
		if err != nil {
			t.Skip("this system does not list the open files of a process")
		}
		return len(files)
	}
	before := open(5)
	if after := open(30); after > before+10 { // some come and go
		t.Errorf("30 explanations leave %d files open", after-before)
	}
}

// systemd passes its sockets as the files from number 3 on, and names them in the
// environment.
func TestServeOnASocketOfSystemd(t *testing.T) {
	t.Parallel()
	file, api := serveSite(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	cmd := exec.Command("sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec registry-janitor serve -c "$0" --web.systemd-socket`, file)
	cmd.Env, cmd.ExtraFiles = serveEnv(file, api), []*os.File{socket}
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The socket is there before the daemon: the request waits for it.
	response, err := http.Get("http://" + listener.Addr().String() + "/-/healthy")
	if err == nil {
		_ = response.Body.Close()
	}
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("it answers %v, %v", response, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v\n%s", err, output.String())
	}
}

// Of two daemons with one ledger one is active; when it is killed, the other takes
// over.
func TestStandby(t *testing.T) {
	t.Parallel()
	file, api := serveSite(t)
	first := startDaemon(t, file, api)
	first.until("the first one works", first.leads)
	second := startDaemon(t, file, api)
	if second.leads() {
		t.Fatal("two daemons are active")
	}
	response, err := http.Post(second.base+"/api/v1/plan", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusConflict {
		t.Errorf("a daemon that stands by starts a run: %s", response.Status)
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second.until("the other one takes over", second.leads)
}
