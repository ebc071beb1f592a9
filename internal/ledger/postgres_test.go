package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
)

// password needs escaping in a URL, so that a message that shows it in either
// form is found.
const password = "s3cr3t p@ss/wörd"

// server is the PostgreSQL server that all tests of this package share. It
// listens on a Unix socket in a temporary folder and writes to the disk as one
// in production does.
type server struct {
	folder  string
	stop    io.Closer // its end ends the server
	cmd     *exec.Cmd
	log     bytes.Buffer
	schemas atomic.Int64
}

// shared is the server after the first test has started it.
var shared struct {
	once   sync.Once
	server *server // nil where PostgreSQL is not installed
	err    error
}

func startServer() (*server, error) {
	shared.once.Do(func() { shared.server, shared.err = newServer() })
	return shared.server, shared.err
}

// postgres returns the DSN of an empty schema.
func postgres(t testing.TB) string {
	t.Helper()
	s, err := startServer()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		const missing = "PostgreSQL is not installed, so this test does not run on it: apt-get install postgresql"
		if os.Getenv("CI") == "true" || os.Getenv("JANITOR_REQUIRE_POSTGRES") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	name := fmt.Sprintf("test%d", s.schemas.Add(1))
	if _, err := s.admin(t).Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	return s.dsn(name)
}

func (s *server) dsn(schema string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("janitor", password), Path: "/postgres"}
	u.RawQuery = url.Values{"host": {s.folder}, "search_path": {schema}}.Encode()
	return u.String()
}

// admin is a separate connection, to check from outside.
func (s *server) admin(t testing.TB) *sql.DB {
	t.Helper()
	db, err := s.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *server) open() (*sql.DB, error) {
	config, err := pgx.ParseConfig(s.dsn("public"))
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

func newServer() (*server, error) {
	binaries := postgresBinaries()
	if binaries == "" {
		return nil, nil
	}
	folder, err := os.MkdirTemp("", "janitor-pg")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder}
	if err := s.start(binaries); err != nil {
		s.close()
		return nil, fmt.Errorf("starting PostgreSQL: %w\n%s", err, s.log.String())
	}
	return s, nil
}

// postgresBinaries is the folder of the newest PostgreSQL, or "".
func postgresBinaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian; the pattern is right
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return ""
	}
	return filepath.Dir(path)
}

func (s *server) start(binaries string) error {
	as, err := unprivileged(s.folder)
	if err != nil {
		return err
	}
	secret := filepath.Join(s.folder, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil {
		return err
	}
	data := filepath.Join(s.folder, "data")
	initdb := exec.Command(filepath.Join(binaries, "initdb"), "-D", data, "-U", "janitor", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C", "-N")
	initdb.Dir, initdb.SysProcAttr = s.folder, as
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	// The shell ends the server when this process ends, even if it is killed.
	s.cmd = exec.Command("sh", "-c", `"$0" "$@" & cat >/dev/null; kill -QUIT $!; wait`,
		filepath.Join(binaries, "postgres"), "-D", data, "-k", s.folder, "-c", "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=200")
	s.cmd.Dir, s.cmd.SysProcAttr = s.folder, as
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if s.stop, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return database.Until(ctx, func() (bool, error) {
		err := db.PingContext(ctx)
		return err == nil, err
	})
}

// unprivileged runs the server as another user if this process is root: the server
// refuses to run as root. That user becomes the owner of the folder.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(folder, uid, gid)
}

func (s *server) close() {
	if s.stop != nil {
		_ = s.stop.Close()
	}
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Wait() // ended by a signal
	}
	_ = os.RemoveAll(s.folder)
}

func TestErrorsNeverShowThePassword(t *testing.T) {
	t.Parallel()
	escaped := strings.TrimSuffix(strings.TrimPrefix(url.UserPassword("", password).String(), ":"), "@")
	for name, dsn := range map[string]string{
		"a host that does not exist":       "postgres://janitor:" + escaped + "@/db?host=/nonexistent",
		"a port that is not a number":      "postgres://janitor:" + escaped + "@host:port/db",
		"a password that is not escaped":   "postgres://janitor:" + password + "@host/db",
		"an escape that is none":           "postgres://janitor:" + password + "%zz@host/db",
		"a parameter that is wrong":        "postgres://janitor:" + escaped + "@host/db?sslmode=" + escaped,
		"a DSN of another database":        "mysql://janitor:" + escaped + "@host/db",
		"a server that refuses a password": "",
	} {
		t.Run(name, func(t *testing.T) {
			if dsn == "" {
				dsn = strings.Replace(postgres(t), escaped, escaped+"x", 1)
			}
			_, err := Open(t.Context(), dsn, Options{})
			if err == nil {
				t.Fatal("it was opened")
			}
			for _, secret := range []string{password, escaped, "s3cr3t"} {
				if shown := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(shown, secret) {
					t.Errorf("the error shows %q: %s", secret, shown)
				}
			}
			t.Log(err)
		})
	}
}
