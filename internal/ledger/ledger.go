package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The errors that callers tell apart.
var (
	// ErrLocked: another run is going on. It is wrapped by a *LockedError that says
	// whose.
	ErrLocked = errors.New("the ledger is locked")
	// ErrNotLocked: what was asked for needs the lock of the ledger, and this
	// process does not hold it, or has lost it.
	ErrNotLocked = errors.New("the lock of the ledger is not held")
	// ErrNewer: a newer version of the program has written to the ledger.
	ErrNewer = errors.New("the ledger was written by a newer version of this program")
	// ErrUnknownRun: the ledger has no run of this id.
	ErrUnknownRun = errors.New("no such run")
)

// Error says what was being done to which ledger when the database failed.
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
	// patienceWithMuch is how many times as long a write may take that is not of one
	// record.
	patienceWithMuch = 10
)

// Options is how to open a ledger. The zero value works.
type Options struct {
	// Who is the person or the machine that runs the program: "user@host".
	Who string
	// Program is the name and version of the program: "registry-janitor 1.2.0".
	Program string
	// Now gives the times that go into the records; nil means the wall clock.
	Now func() time.Time
	// Timeout bounds the write of a single record, so that a database that hangs
	// stops the run; 0 means 30 s. Plans, observations and outcomes have ten times as
	// long.
	Timeout time.Duration
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	engine  engine
	db      *sql.DB
	who     string
	program string
	now     func() time.Time
	timeout time.Duration

	mu   sync.Mutex
	lock *Lock // nil when this process does not hold it
}

// engine is what the databases do differently.
type engine interface {
	database() *sql.DB
	// where names the database in messages, without credentials.
	where() string
	// migrations is the folder of its migrations.
	migrations() string
	// hasTable says whether a table exists.
	hasTable(ctx context.Context, name string) (bool, error)
	// serialize keeps every other transaction that calls it waiting until the end
	// of this one.
	serialize(ctx context.Context, tx *sql.Tx) error
	// shared ends a SELECT so that nobody may change its rows before the end of the
	// transaction.
	shared() string
	// tryLock takes a lock of the ledger, or returns nil if it is taken.
	tryLock(ctx context.Context, which lockName) (hold, error)
	// clean takes out of an error what must not be shown.
	clean(err error) error
}

// lockName is one of the two locks of a ledger.
type lockName int

const (
	// runLock is held by the run that may change something.
	runLock lockName = iota
	// leaderLock is held by the daemon that works, while others stand by.
	leaderLock
)

// hold is a lock, held. It ends with the process at the latest.
type hold interface {
	// lost is closed when the lock is no longer held, or cannot be known to be.
	lost() <-chan struct{}
	release() error
}

// Open opens the ledger that dsn names, creates it if it does not exist, and
// brings its tables up to date. A dsn that starts with postgres:// or
// postgresql:// is a PostgreSQL database; it may share its schema with others,
// since every table is named janitor_…. Everything else is the path of a SQLite
// file on a local disk; it and the folders above it are created for their owner
// only.
func Open(ctx context.Context, dsn string, o Options) (*Ledger, error) {
	l := &Ledger{who: o.Who, program: o.Program, now: o.Now, timeout: o.Timeout}
	if l.now == nil {
		l.now = wallClock
	}
	if l.timeout <= 0 {
		l.timeout = defaultTimeout
	}
	var err error
	if l.engine, err = openEngine(ctx, dsn, l.timeout); err != nil {
		return nil, err
	}
	l.db = l.engine.database()
	if err := l.migrate(ctx, embedded()); err != nil {
		return nil, errors.Join(l.fail("opening", err), l.db.Close())
	}
	return l, nil
}

func openEngine(ctx context.Context, dsn string, timeout time.Duration) (engine, error) {
	scheme, _, isURL := strings.Cut(dsn, "://")
	switch {
	case dsn == "":
		return nil, errors.New("opening the ledger: its DSN is empty: want the path of a file, or postgres://…")
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, dsn, timeout)
	case isURL || strings.HasPrefix(dsn, "file:") || strings.Contains(dsn, ":memory:"):
		return nil, errors.New("opening the ledger: its DSN is neither the path of a file nor postgres://…")
	default:
		return openSQLite(ctx, dsn, timeout)
	}
}

// Close gives the lock back, if this ledger holds it, and closes the database.
func (l *Ledger) Close() error {
	var unlock error
	if lock := l.held(); lock != nil {
		unlock = lock.Unlock()
	}
	return errors.Join(unlock, l.fail("closing", l.db.Close()))
}

// held is the lock that this ledger holds, or nil.
func (l *Ledger) held() *Lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lock
}

// fail says what was being done to which ledger; nil stays nil.
func (l *Ledger) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Doing: doing, Where: l.engine.where(), Err: l.engine.clean(err)}
}

// write runs f in one transaction, which is on disk when write returns nil. It
// is bounded in time, and does not end with the context of the caller: whether
// something was recorded must not depend on the moment of a signal.
func (l *Ledger) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	return l.transact(context.WithoutCancel(ctx), l.timeout, f)
}

// writeMuch is write for what grows with the registry, or with the plan.
func (l *Ledger) writeMuch(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	return l.transact(ctx, patienceWithMuch*l.timeout, f)
}

func (l *Ledger) transact(ctx context.Context, limit time.Duration, f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback() // the first error is the one that counts
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

// text makes a text that every database takes: what an API or a network
// answered may hold anything, and must not keep the rest from being recorded.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}
