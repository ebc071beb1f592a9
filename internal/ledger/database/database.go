package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// Open opens the database that dsn names, or creates the file: see ledger.Open.
func Open(ctx context.Context, dsn string, timeout time.Duration) (Engine, error) {
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

// Engine is what differs between the databases.
type Engine interface {
	DB() *sql.DB
	// Where names the database in messages, without credentials.
	Where() string
	// Migrations is the folder of its migrations.
	Migrations() string
	// HasTable reports whether a table exists.
	HasTable(ctx context.Context, name string) (bool, error)
	// Serialize makes every other transaction that calls it wait for the end of this
	// one.
	Serialize(ctx context.Context, tx *sql.Tx) error
	// Shared is the end of a SELECT whose rows must not change before the end of the
	// transaction.
	Shared() string
	// TryLock takes a lock of the ledger, or returns nil if another process holds it.
	TryLock(ctx context.Context, which LockName) (Hold, error)
	// Intact returns an error if what this process has open is no longer the ledger
	// that others open.
	Intact() error
	// Clean removes secrets from an error.
	Clean(err error) error
}

// LockName is one of the two locks of a ledger.
type LockName int

const (
	// RunLock is the lock of the run that may change the registry.
	RunLock LockName = iota
	// LeaderLock is the lock of the daemon that works, while others stand by.
	LeaderLock
)

// Table records the holder of the lock.
func (n LockName) Table() string {
	if n == LeaderLock {
		return "janitor_leader"
	}
	return "janitor_lock"
}

// Hold is a lock that this process holds, until it ends at the latest.
type Hold interface {
	// Lost is closed when the process no longer holds the lock, or cannot know.
	Lost() <-chan struct{}
	// Release ends it.
	Release() error
}

// Until calls f until it is done, or the context is.
func Until(ctx context.Context, f func() (done bool, err error)) error {
	const first, longest = 5 * time.Millisecond, 200 * time.Millisecond
	for pause := first; ; pause = min(2*pause, longest) {
		done, err := f()
		if done {
			return err
		}
		if ended := clock.Sleep(ctx, pause); ended != nil {
			return errors.Join(err, ended)
		}
	}
}
