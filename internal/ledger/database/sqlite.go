package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is a ledger in a file. Its lock is an empty database beside it, in
// which the holder keeps a write transaction open: the operating system ends that
// with the process.
type sqliteEngine struct {
	path  string
	db    *sql.DB
	files []fs.FileInfo // of the ledger and of the lock of runs, when they were opened
}

// readers is how many connections may read beside the one that writes.
const readers = 4

func openSQLite(ctx context.Context, path string, timeout time.Duration) (*sqliteEngine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	e := &sqliteEngine{path: path}
	for _, name := range []string{path, e.lockPath(RunLock), e.lockPath(LeaderLock)} {
		if err := createPrivate(name); err != nil {
			return nil, fmt.Errorf("creating the ledger: %w", err)
		}
	}
	// FULL: a commit that was acknowledged survives a power cut too.
	if e.db, err = openFile(path, timeout, "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)"); err != nil {
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	e.db.SetMaxOpenConns(readers + 1)
	e.db.SetMaxIdleConns(readers + 1)
	if err := e.check(ctx, timeout); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", path, err), e.db.Close())
	}
	for _, name := range e.watched() {
		info, err := os.Stat(name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening the ledger: %w", err), e.db.Close())
		}
		e.files = append(e.files, info)
	}
	return e, nil
}

// watched are the files without which two runs could apply at once, or a record be
// lost.
func (e *sqliteEngine) watched() []string { return []string{e.path, e.lockPath(RunLock)} }

// Intact compares the device and the inode of the files: an open file that was removed
// still accepts every record, but no other process can read it.
func (e *sqliteEngine) Intact() error {
	for i, name := range e.watched() {
		info, err := os.Stat(name)
		if err != nil || !os.SameFile(info, e.files[i]) {
			return fmt.Errorf("%s was removed or replaced during the run, so the run ends before it changes anything more: put the file back if you can, then run again", name)
		}
	}
	return nil
}

// createPrivate creates a file that only its owner may read, unless it exists. It
// must not open an existing file: closing it again would release the locks of this
// process on it.
func createPrivate(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // by another process, a moment ago
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// openFile opens a SQLite file. Every transaction is for writing.
func openFile(path string, busy time.Duration, pragmas ...string) (*sql.DB, error) {
	query := url.Values{
		"_txlock":   {"immediate"},
		"_dqs":      {"0"},
		"_error_rc": {"1"},
		"_pragma":   append([]string{"busy_timeout(" + strconv.FormatInt(busy.Milliseconds(), 10) + ")"}, pragmas...),
	}
	// A URL, because a path may hold characters that a DSN must not.
	connector, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// check opens the first connection. It tries again when the file is busy: the
// timeout does not help two processes that switch a new file to WAL at once.
func (e *sqliteEngine) check(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := Until(ctx, func() (bool, error) {
		err := e.db.PingContext(ctx)
		return !isBusy(err), err
	}); err != nil {
		return err
	}
	ours, err := e.HasTable(ctx, "janitor_schema_migrations")
	if err != nil || ours {
		return err
	}
	var tables int
	if err := e.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'janitor_%'`).Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return errors.New("the file is the database of another program")
	}
	return nil
}

func (e *sqliteEngine) DB() *sql.DB                                     { return e.db }
func (e *sqliteEngine) Where() string                                   { return e.path }
func (e *sqliteEngine) Migrations() string                              { return "sqlite" }
func (e *sqliteEngine) Serialize(ctx context.Context, tx *sql.Tx) error { return nil } // every transaction is alone
func (e *sqliteEngine) Shared() string                                  { return "" }
func (e *sqliteEngine) Clean(err error) error                           { return err }

// lockPath is the file of a lock.
func (e *sqliteEngine) lockPath(which LockName) string {
	if which == LeaderLock {
		return e.path + ".leader"
	}
	return e.path + ".lock"
}

func (e *sqliteEngine) HasTable(ctx context.Context, name string) (exists bool, err error) {
	err = e.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1)`, name).Scan(&exists)
	return exists, err
}

func (e *sqliteEngine) TryLock(ctx context.Context, which LockName) (Hold, error) {
	db, err := openFile(e.lockPath(which), 0)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	}
	if err == nil {
		return &sqliteHold{db: db, conn: conn, never: make(chan struct{})}, nil
	}
	if conn != nil {
		_ = conn.Close()
	}
	_ = db.Close()
	if isBusy(err) {
		return nil, nil
	}
	return nil, err
}

type sqliteHold struct {
	db    *sql.DB
	conn  *sql.Conn
	never chan struct{}
}

// Lost is never closed: the operating system keeps a file lock until the process ends.
func (h *sqliteHold) Lost() <-chan struct{} { return h.never }

func (h *sqliteHold) Release() error {
	_, err := h.conn.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, h.conn.Close(), h.db.Close())
}

func isBusy(err error) bool {
	var e *sqlite.Error
	// The low byte is the code; the bytes above extend it.
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}
