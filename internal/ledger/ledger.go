package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
)

// The errors that callers distinguish.
var (
	// ErrLocked: another process holds the lock. A *LockedError names it.
	ErrLocked = errors.New("the ledger is locked")
	// ErrNotLocked: the call needs the lock of the ledger, and this process does not
	// hold it, or has lost it.
	ErrNotLocked = errors.New("the lock of the ledger is not held")
	// ErrNewer: a newer version of the program has written to the ledger.
	ErrNewer = errors.New("the ledger was written by a newer version of this program")
	// ErrUnknownRun: the ledger has no run of this ID.
	ErrUnknownRun = errors.New("no such run")
	// ErrUnknownPlan: the ledger has no such plan, or not any more.
	ErrUnknownPlan = errors.New("no such plan")
)

// Error is a failure of the database.
type Error struct {
	Doing string // "opening", "reading the runs from"
	Where string // without credentials
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("%s the ledger %s: %v", e.Doing, e.Where, e.Err) }

// Unwrap gives the error of the database.
func (e *Error) Unwrap() error { return e.Err }

const (
	// defaultTimeout is how long one write may take, waiting for others included.
	defaultTimeout = 30 * time.Second
	// muchLonger is how many times longer the write of many records may take.
	muchLonger = 10
)

// Options configure how to open a ledger. The zero value works.
type Options struct {
	// Who runs the program: "user@host".
	Who string
	// Program is its name and version: "registry-janitor 1.2.0".
	Program string
	// Now is the clock of the records; nil is the wall clock.
	Now func() time.Time
	// Timeout bounds the write of a single record, so that a run stops when the
	// database hangs; 0 is 30 s. Plans, observations and outcomes may take ten times
	// longer.
	Timeout time.Duration
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	engine  database.Engine
	db      *sql.DB
	who     string
	program string
	now     func() time.Time
	timeout time.Duration

	mu   sync.Mutex
	lock *Lock // nil while this ledger does not hold it
}

// MayExist reports whether there is something to open: a file that does not exist, Open
// creates, and only a run wants that.
func MayExist(dsn string) bool {
	if strings.Contains(dsn, "://") {
		return true
	}
	_, err := os.Stat(dsn)
	return !errors.Is(err, fs.ErrNotExist)
}

// Open opens the ledger that dsn names, creates it if it does not exist, and brings
// its tables up to date. A dsn that starts with postgres:// or postgresql:// is a
// PostgreSQL database. Its schema may hold other tables: those of the ledger are named
// janitor_…. Any other dsn is the path of a SQLite file on a local disk; only its
// owner may read the file and the folders that Open creates.
func Open(ctx context.Context, dsn string, o Options) (*Ledger, error) {
	l := &Ledger{who: o.Who, program: o.Program, now: o.Now, timeout: cmp.Or(o.Timeout, defaultTimeout)}
	if l.now == nil {
		l.now = clock.Now
	}
	var err error
	if l.engine, err = database.Open(ctx, dsn, l.timeout); err != nil {
		return nil, err
	}
	l.db = l.engine.DB()
	all, err := readMigrations(l.engine.Migrations())
	if err == nil {
		err = l.migrate(ctx, all)
	}
	if err != nil {
		return nil, errors.Join(l.fail("opening", err), l.db.Close())
	}
	return l, nil
}

// Close releases the lock, if this ledger holds it, and closes the database.
func (l *Ledger) Close() error {
	var unlock error
	if lock := l.held(); lock != nil {
		unlock = lock.Unlock()
	}
	return errors.Join(unlock, l.fail("closing", l.db.Close()))
}

// held returns the lock that this ledger holds, or nil.
func (l *Ledger) held() *Lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lock
}

// fail makes an Error; nil stays nil.
func (l *Ledger) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Doing: doing, Where: l.engine.Where(), Err: l.engine.Clean(err)}
}

// write runs f in one transaction, which is on disk when write returns nil. It has a
// timeout, but does not end with the context of the caller: a signal must not decide
// whether something is recorded.
func (l *Ledger) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	return l.transact(context.WithoutCancel(ctx), l.timeout, f)
}

// writeMuch writes what grows with the registry or the plan.
func (l *Ledger) writeMuch(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	return l.transact(ctx, muchLonger*l.timeout, f)
}

func (l *Ledger) transact(ctx context.Context, limit time.Duration, f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	return tx.Commit()
}

// micros is how times are stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

func fromNullMicros(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return fromMicros(us.Int64)
}

// text makes a text that every database accepts. An answer of an API may hold any
// bytes, and must still be recorded.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}
