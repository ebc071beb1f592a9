package ledger

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// On a full disk the journal returns an error before the next step is sent, and has
// everything that it acknowledged.
func TestFullDiskStopsTheRun(t *testing.T) {
	t.Parallel()
	l := open(t, databases[0].dsn(t))
	r := begin(t, l, runs.KindApply)
	l.db.SetMaxOpenConns(1) // the limit is one of a connection
	if _, err := l.db.Exec(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	var accepted []string
	var failure error
	for _, tag := range names(1000) {
		if failure = r.Intend(t.Context(), step(tag)); failure != nil {
			break
		}
		accepted = append(accepted, tag)
	}
	if failure == nil || !strings.Contains(failure.Error(), "full") {
		t.Fatalf("after %d intents: %v", len(accepted), failure)
	}
	if err := r.Intend(t.Context(), actions.Step{Action: actions.DeleteTag, Ref: ref("z")}); err == nil {
		t.Error("an intent was accepted after a failure")
	}
	d, err := l.Run(t.Context(), r.ID())
	must(t, err)
	if len(d.Steps) != len(accepted) {
		t.Errorf("the journal has %d steps, %d were acknowledged", len(d.Steps), len(accepted))
	}
	if _, err := l.db.Exec(`PRAGMA max_page_count = 10000`); err != nil {
		t.Fatal(err)
	}
	// There is room again: results are written, but no step begins.
	must(t, r.Done(t.Context(), result(accepted[0], actions.ResultDone)))
	if err := r.Intend(t.Context(), step("later")); err == nil {
		t.Error("an intent was accepted after a failure")
	}
	must(t, r.Finish(t.Context(), Ending{Status: StatusFailed, Exit: 1}))
}

// An open file that was removed takes every record, and is not found again.
func TestALedgerThatIsNoLongerThereStopsTheRun(t *testing.T) {
	t.Parallel()
	replace := func(t *testing.T, path string) {
		must(t, os.WriteFile(path+".new", nil, 0o600))
		must(t, os.Rename(path+".new", path))
	}
	for _, tt := range []struct {
		name, file string
		harm       func(t *testing.T, path string)
	}{
		{"the ledger is removed", "", func(t *testing.T, path string) { must(t, os.Remove(path)) }},
		{"the ledger is replaced", "", replace},
		{"the folder of the ledger is moved away", "", func(t *testing.T, path string) {
			must(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".old"))
		}},
		{"the lock file is removed", ".lock", func(t *testing.T, path string) { must(t, os.Remove(path)) }},
		{"the lock file is replaced", ".lock", replace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dsn := databases[0].dsn(t)
			l, err := Open(t.Context(), dsn, Options{})
			must(t, err)
			defer l.Close()
			r := begin(t, l, runs.KindApply)
			must(t, r.Intend(t.Context(), step("a")))
			tt.harm(t, dsn+tt.file)
			if err := r.Intend(t.Context(), step("b")); err == nil || !strings.Contains(err.Error(), "was removed or replaced during the run") {
				t.Errorf("the next step may be sent: %v", err)
			}
			must(t, r.Done(t.Context(), result("a", actions.ResultDone)))
		})
	}
}

func TestLedgerThatCannotBeWrittenStopsTheRun(t *testing.T) {
	t.Parallel()
	l := open(t, databases[0].dsn(t))
	r := begin(t, l, runs.KindApply)
	l.db.SetMaxOpenConns(1)
	if _, err := l.db.Exec(`PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	if err := r.Intend(t.Context(), step("a")); err == nil {
		t.Error("an intent was accepted")
	}
	if err := r.Done(t.Context(), result("a", actions.ResultDone)); err == nil {
		t.Error("a result was accepted")
	}
	if err := r.Finish(t.Context(), Ending{Status: StatusFailed}); err == nil {
		t.Error("the end was accepted")
	}
	if err := r.Mark(t.Context(), Observation{At: start, Covered: everything, Tags: []MarkedTag{{ID: "a", Ref: ref("a")}}}); err == nil {
		t.Error("an observation was accepted")
	}
	if _, err := l.db.Exec(`PRAGMA query_only = 0`); err != nil { // for Close
		t.Fatal(err)
	}
}

// The server ends the connections, as it does when it is restarted.
func TestLostConnectionIsALostLock(t *testing.T) {
	t.Parallel()
	dsn := postgres(t)
	l := open(t, dsn)
	lock := mustLock(t, l)
	r := begin(t, l, runs.KindApply)
	must(t, r.Intend(t.Context(), step("a")))
	s, err := startServer()
	must(t, err)
	// Only the connection with the lock: database/sql replaces the others.
	if _, err := s.admin(t).Exec(`SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $1
		AND l.objid = (SELECT hashtext($2)::bit(32)::bigint::oid)`, database.LockSpace, dsn[strings.LastIndex(dsn, "=")+1:]); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lock.Lost():
	case <-time.After(20 * time.Second):
		t.Fatal("the loss was not noticed")
	}
	if err := r.Intend(t.Context(), step("b")); !errors.Is(err, ErrNotLocked) {
		t.Errorf("an intent without the lock gives %v", err)
	}
	other := open(t, dsn)
	mustLock(t, other)
	must(t, r.Done(t.Context(), result("a", actions.ResultDone)))
	if found, err := other.Interrupted(t.Context()); err != nil || len(found) != 1 || len(found[0].Steps) != 0 {
		t.Errorf("interrupted are %+v (%v)", found, err)
	}
	must(t, lock.Unlock()) // does not release the lock of another holder
	if who, _, err := open(t, dsn).holder(t.Context(), database.RunLock); err != nil || who != "ada@build-7" {
		t.Errorf("the new holder is %q, %v", who, err)
	}
}

func TestOpenRefusesOtherFilesAndDatabases(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	noDatabase := filepath.Join(folder, "notes.txt")
	must(t, os.WriteFile(noDatabase, []byte(strings.Repeat("these are notes\n", 100)), 0o600))
	foreign := filepath.Join(folder, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	must(t, err)
	if _, err := db.Exec(`CREATE TABLE customers (id INTEGER)`); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	for name, c := range map[string]struct{ dsn, want string }{
		"an empty DSN":                    {"", "empty"},
		"a database in memory":            {":memory:", "neither"},
		"a file URL":                      {"file:ledger.db?mode=ro", "neither"},
		"another kind of database":        {"mysql://localhost/db", "neither"},
		"a file that is not a database":   {noDatabase, "notes.txt"},
		"the database of another program": {foreign, "another program"},
		"a folder":                        {folder, folder},
		"a file below a file":             {filepath.Join(noDatabase, "ledger.db"), "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(t.Context(), c.dsn, Options{})
			if err == nil {
				_ = l.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want one with %q", err, c.want)
			}
		})
	}
}

func TestOnlyTheOwnerMayReadALedgerFile(t *testing.T) {
	t.Parallel()
	path := databases[0].dsn(t)
	l := open(t, path)
	begin(t, l, runs.KindApply)
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + ".lock": 0o600, path + ".leader": 0o600,
	} {
		info, err := os.Stat(name)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has the mode %o, want %o", name, got, want)
		}
	}
}
