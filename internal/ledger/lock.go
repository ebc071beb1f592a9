package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
)

// leastWait is how long even a caller with no wait tries to get the lock: another
// process that only checks the lock holds it for a moment.
const leastWait = 250 * time.Millisecond

// LockedError names the holder of the lock. It is an ErrLocked.
type LockedError struct {
	Who   string    // "" if it is not known
	Since time.Time // in the time zone of the reader; zero if it is not known
}

func (e *LockedError) Error() string {
	if e.Who == "" {
		return "another command, or a daemon, has locked the ledger"
	}
	return fmt.Sprintf("another command, or a daemon, has locked the ledger: %s since %s", e.Who, e.Since.Format("2006-01-02 15:04:05 MST"))
}

// Is makes it an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lock is a lock of the ledger that this process holds. The operating system or the
// database releases it when the process ends.
type Lock struct {
	ledger *Ledger
	which  database.LockName
	hold   database.Hold
	epoch  int64
	once   sync.Once
	err    error // of Unlock
}

// Lock takes the lock without which no run may change anything. It waits up to wait
// for another run to end, and then returns a *LockedError. A ledger holds its lock
// at most once.
func (l *Ledger) Lock(ctx context.Context, wait time.Duration) (*Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, max(wait, leastWait))
	defer cancel()
	var h database.Hold
	var taken bool
	err := database.Until(waiting, func() (done bool, err error) {
		h, err = l.try(ctx, database.RunLock)
		taken = h == nil && err == nil
		return !taken, err
	})
	switch {
	case taken && ctx.Err() == nil:
		who, since, err := l.holder(ctx, database.RunLock)
		if err != nil {
			return nil, l.fail("reading the holder of the lock from", err)
		}
		return nil, &LockedError{who, since}
	case err != nil:
		return nil, l.fail("locking", err)
	}
	lock, err := l.sign(ctx, database.RunLock, h)
	if err != nil {
		return nil, l.fail("locking", err)
	}
	l.mu.Lock()
	l.lock = lock
	l.mu.Unlock()
	return lock, nil
}

// leadEvery is how often a standby daemon tries to lead.
const leadEvery = 3 * time.Second

// Lead waits until no other daemon leads, and then leads, while the other daemons
// with the same ledger stand by. This lock is independent of the other one: a run
// that a person starts takes only that one.
func (l *Ledger) Lead(ctx context.Context) (*Lock, error) {
	for {
		h, err := l.try(ctx, database.LeaderLock)
		if err != nil {
			return nil, l.fail("leading with", err)
		}
		if h != nil {
			lock, err := l.sign(ctx, database.LeaderLock, h)
			return lock, l.fail("leading with", err)
		}
		if err := clock.Sleep(ctx, leadEvery); err != nil {
			return nil, err
		}
	}
}

// Leader returns the daemon that led last, or "" if it gave the leadership up. It
// may have died since.
func (l *Ledger) Leader(ctx context.Context) (who string, err error) {
	who, _, err = l.holder(ctx, database.LeaderLock)
	return who, l.fail("reading the leader from", err)
}

// try takes a lock, or returns nil if another process holds it. One try may take
// longer than the caller wants to wait for another run.
func (l *Ledger) try(ctx context.Context, which database.LockName) (database.Hold, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.engine.TryLock(ctx, which)
}

// sign records the holder of a lock under a new epoch. So a process that lost the
// lock without noticing can no longer write to the journal.
func (l *Ledger) sign(ctx context.Context, which database.LockName, h database.Hold) (*Lock, error) {
	lock := &Lock{ledger: l, which: which, hold: h}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE `+which.Table()+` SET epoch = epoch + 1, who = $1, since = $2 WHERE id = 1 RETURNING epoch`,
			text(l.who), micros(l.now())).Scan(&lock.epoch)
	})
	if err != nil {
		return nil, errors.Join(err, h.Release())
	}
	return lock, nil
}

// holder reads the last holder of a lock; "" if it released the lock.
func (l *Ledger) holder(ctx context.Context, which database.LockName) (who string, since time.Time, err error) {
	var at int64
	err = l.db.QueryRowContext(ctx, `SELECT who, since FROM `+which.Table()+` WHERE id = 1`).Scan(&who, &at)
	return who, fromMicros(at), err
}

// Lost is closed when the lock is lost with the connection to the database: another
// process may take it.
func (k *Lock) Lost() <-chan struct{} { return k.hold.Lost() }

// Unlock releases the lock. Only the first call does anything.
func (k *Lock) Unlock() error {
	k.once.Do(func() {
		l := k.ledger
		l.mu.Lock()
		if l.lock == k { // not a later one, taken after this one was lost
			l.lock = nil
		}
		l.mu.Unlock()
		// The epoch, because another process may have taken and signed a lost lock.
		err := l.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
			//nolint:gosec // G202: the name of the table is a constant
			_, err := tx.ExecContext(ctx, `UPDATE `+k.which.Table()+` SET who = '' WHERE id = 1 AND epoch = $1`, k.epoch)
			return err
		})
		k.err = errors.Join(l.fail("unlocking", err), l.fail("unlocking", k.hold.Release()))
	})
	return k.err
}

// valid returns ErrNotLocked if this process has found out that it does not hold the lock.
func (k *Lock) valid() error {
	if k == nil {
		return ErrNotLocked
	}
	select {
	case <-k.hold.Lost():
		return fmt.Errorf("%w any more: the connection was lost", ErrNotLocked)
	default:
		return nil
	}
}

// confirm returns ErrNotLocked if another process has taken the lock, and prevents
// that until the end of the transaction. It returns another error if the ledger is not
// the same any more.
func (k *Lock) confirm(ctx context.Context, tx *sql.Tx) error {
	if err := k.valid(); err != nil {
		return err
	}
	if err := k.ledger.engine.Intact(); err != nil {
		return err
	}
	var epoch int64
	//nolint:gosec // G701: shared returns a constant
	err := tx.QueryRowContext(ctx, `SELECT epoch FROM janitor_lock WHERE id = 1`+k.ledger.engine.Shared()).Scan(&epoch)
	if err != nil {
		return err
	}
	if epoch != k.epoch {
		return fmt.Errorf("%w any more: another run has taken it", ErrNotLocked)
	}
	return nil
}

// lockState is the latest epoch of the lock, and whether a process holds it.
type lockState struct {
	epoch int64
	held  bool
}

// isAlive reports whether a run that began under an epoch may be going on.
func (s lockState) isAlive(epoch int64) bool {
	return epoch > s.epoch || s.held && epoch == s.epoch
}

// lockState checks whether any process holds the lock, without keeping it.
func (l *Ledger) lockState(ctx context.Context) (s lockState, err error) {
	s.held = l.held().valid() == nil
	if !s.held {
		h, err := l.engine.TryLock(ctx, database.RunLock)
		if err != nil {
			return s, err
		}
		if h != nil {
			defer func() { err = errors.Join(err, h.Release()) }()
		}
		s.held = h == nil
	}
	err = l.db.QueryRowContext(ctx, `SELECT epoch FROM janitor_lock WHERE id = 1`).Scan(&s.epoch)
	return s, err
}
