// Package standby tests daemons that share a PostgreSQL ledger.
package standby

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

const config = `retention: [{match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
ledger: {dsn: %q}
schedules: [{name: yearly, cron: "@yearly", do: plan}]
`

// takeover is the time within which another daemon takes over.
const takeover = 30 * time.Second

func TestAnotherDaemonTakesOver(t *testing.T) {
	binary := program.Build(t)
	dsn := startPostgres(t)
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(config, dsn)), 0o600); err != nil {
		t.Fatal(err)
	}
	first := start(t, binary, file)
	first.until("the first one works", first.leads)
	second := start(t, binary, file)
	if second.leads() {
		t.Fatal("two daemons work at the same time")
	}

	// A killed daemon cannot release anything.
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	second.until("the second one takes over", second.leads)
	t.Logf("took over %s after the kill", time.Since(killed).Round(time.Millisecond))

	// A daemon that is asked to end releases the leadership.
	third := start(t, binary, file)
	if third.leads() {
		t.Fatal("two daemons work at the same time")
	}
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	third.until("the third one takes over from one that ends", third.leads)
}

// daemon is a real daemon in its own process.
type daemon struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string

	mu  sync.Mutex
	log strings.Builder
}

func start(t *testing.T, binary, file string) *daemon {
	t.Helper()
	d := &daemon{t: t}
	d.cmd = exec.Command(binary, "serve", "-c", file, "--web.listen-address", "127.0.0.1:0")
	// No schedule is due, so it sends no request to the API.
	d.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SCW_API_URL=http://127.0.0.1:9",
		"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111")
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.cmd.Wait() })
	address := make(chan string, 1)
	go d.read(stderr, address)
	select {
	case at := <-address:
		d.base = "http://" + at
	case <-time.After(takeover):
		t.Fatalf("the daemon does not listen:\n%s", d.logged())
	}
	return d
}

func (d *daemon) read(stderr io.Reader, address chan<- string) {
	for s := bufio.NewScanner(stderr); s.Scan(); {
		d.mu.Lock()
		d.log.WriteString(s.Text() + "\n")
		d.mu.Unlock()
		if _, at, ok := strings.Cut(s.Text(), "msg=listening address="); ok {
			address <- at
		}
	}
}

func (d *daemon) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

func (d *daemon) leads() bool {
	d.t.Helper()
	response, err := http.Get(d.base + "/api/v1/status")
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	var status struct{ Leads bool }
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		d.t.Fatal(err)
	}
	return status.Leads
}

func (d *daemon) until(what string, f func() bool) {
	d.t.Helper()
	deadline := time.After(takeover)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("not within %s: %s\n%s", takeover, what, d.logged())
		}
	}
}

// startPostgres starts a PostgreSQL server on a socket in a new folder, and returns
// its DSN.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian
	if err != nil || len(found) == 0 {
		program.Missing(t, "PostgreSQL", "postgresql")
	}
	binaries := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "janitor-pg") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	as := unprivileged(t, folder)
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(binaries, "initdb"), "-D", data, "-U", "janitor", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	initdb.Dir, initdb.SysProcAttr = folder, as
	if output, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	// The shell ends the server when this process ends, also if it is killed.
	server := exec.Command("sh", "-c", `"$0" "$@" & cat >/dev/null; kill -QUIT $!; wait`,
		filepath.Join(binaries, "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=")
	server.Dir, server.SysProcAttr = folder, as
	end, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end.Close(); _ = server.Wait() })
	awaitPostgres(t, filepath.Join(binaries, "pg_isready"), folder)
	return "postgres://janitor@/postgres?host=" + url.QueryEscape(folder)
}

func awaitPostgres(t *testing.T, isReady, folder string) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for exec.Command(isReady, "-h", folder, "-U", "janitor", "-q").Run() != nil {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("PostgreSQL does not start")
		}
	}
}

// unprivileged starts the server as another user if this process is root, because
// PostgreSQL refuses to run as root.
func unprivileged(t *testing.T, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
