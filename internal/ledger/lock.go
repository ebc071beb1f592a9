package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// patience is how long even an impatient caller waits for the lock: somebody who
// only looks whether it is held has it for a moment.
const patience = 250 * time.Millisecond

// LockedError says who holds the lock. It is an ErrLocked.
type LockedError struct {
	Who   string    // "" when that is not known
	Since time.Time // zero when that is not known
}

func (e *LockedError) Error() string {
	if e.Who == "" {
		return "another run is going on: the ledger is locked"
	}
	return fmt.Sprintf("another run is going on: the ledger is locked by %s since %s", e.Who, e.Since.Format(time.RFC3339))
}

// Is makes it an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lock is the lock of a ledger, held: no other process may change anything
// meanwhile. It ends with the process.
type Lock struct {
	ledger *Ledger
	hold   hold
	epoch  int64
	once   sync.Once
	err    error // of Unlock
}

// Lock takes the lock, waiting up to wait for another run to end. If that does
// not suffice, the error is a *LockedError. A ledger holds its lock at most once.
func (l *Ledger) Lock(ctx context.Context, wait time.Duration) (*Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, max(wait, patience))
	defer cancel()
	var h hold
	var taken bool
	err := retry(waiting, func() (done bool, err error) {
		// One try may take longer than the caller cares to wait for another run.
		ctx, cancel := context.WithTimeout(ctx, l.timeout)
		defer cancel()
		h, err = l.engine.tryLock(ctx, runLock)
		taken = h == nil && err == nil
		return !taken, err
	})
	switch {
	case taken && ctx.Err() == nil:
		return nil, l.holder(ctx)
	case err != nil:
		return nil, l.fail("locking", err)
	}
	lock := &Lock{ledger: l, hold: h}
	if err := lock.sign(ctx); err != nil {
		return nil, errors.Join(l.fail("locking", err), l.fail("unlocking", h.release()))
	}
	l.mu.Lock()
	l.lock = lock
	l.mu.Unlock()
	return lock, nil
}

// sign writes down whose the lock is, under a new epoch: a process that lost the
// lock without noticing cannot write to the journal any more.
func (k *Lock) sign(ctx context.Context) error {
	l := k.ledger
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE janitor_lock SET epoch = epoch + 1, who = $1, since = $2 WHERE id = 1 RETURNING epoch`,
			text(l.who), micros(l.now())).Scan(&k.epoch)
	})
}

// holder says who holds the lock, as far as that can be read.
func (l *Ledger) holder(ctx context.Context) error {
	var e LockedError
	var since int64
	if err := l.db.QueryRowContext(ctx, `SELECT who, since FROM janitor_lock WHERE id = 1`).Scan(&e.Who, &since); err != nil {
		return l.fail("reading who locks", err)
	}
	e.Since = fromMicros(since)
	return &e
}

// Lost is closed when the lock is lost: the connection to the database is, and
// with it the guarantee that nobody else changes anything.
func (k *Lock) Lost() <-chan struct{} { return k.hold.lost() }

// Unlock gives the lock back. Only the first call does anything.
func (k *Lock) Unlock() error {
	k.once.Do(func() {
		l := k.ledger
		l.mu.Lock()
		if l.lock == k { // and not a later one, taken when this one was lost
			l.lock = nil
		}
		l.mu.Unlock()
		// Another one may have taken a lost lock, and has signed since.
		err := l.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE janitor_lock SET who = '' WHERE id = 1 AND epoch = $1`, k.epoch)
			return err
		})
		k.err = errors.Join(l.fail("unlocking", err), l.fail("unlocking", k.hold.release()))
	})
	return k.err
}

// valid returns ErrNotLocked if the lock is not held, for all that this process
// can know.
func (k *Lock) valid() error {
	if k == nil {
		return ErrNotLocked
	}
	select {
	case <-k.hold.lost():
		return fmt.Errorf("%w any more: the connection was lost", ErrNotLocked)
	default:
		return nil
	}
}

// confirm returns ErrNotLocked if somebody else has taken the lock, and keeps
// them from doing so until the end of the transaction.
func (k *Lock) confirm(ctx context.Context, tx *sql.Tx) error {
	if err := k.valid(); err != nil {
		return err
	}
	var epoch int64
	err := tx.QueryRowContext(ctx, `SELECT epoch FROM janitor_lock WHERE id = 1`+k.ledger.engine.shared()).Scan(&epoch)
	if err != nil {
		return err
	}
	if epoch != k.epoch {
		return fmt.Errorf("%w any more: another run has taken it", ErrNotLocked)
	}
	return nil
}

// watch is how the lock stands: its latest epoch, and whether that is held.
type watch struct {
	epoch int64
	held  bool
}

// alive says whether a run that was begun under an epoch may be going on.
func (w watch) alive(epoch int64) bool {
	return epoch > w.epoch || w.held && epoch == w.epoch
}

// watch looks whether anybody holds the lock, without keeping it.
func (l *Ledger) watch(ctx context.Context) (w watch, err error) {
	w.held = l.held().valid() == nil
	if !w.held {
		h, err := l.engine.tryLock(ctx, runLock)
		if err != nil {
			return w, err
		}
		if h != nil {
			defer func() { err = errors.Join(err, h.release()) }()
		}
		w.held = h == nil
	}
	err = l.db.QueryRowContext(ctx, `SELECT epoch FROM janitor_lock WHERE id = 1`).Scan(&w.epoch)
	return w, err
}

// retry calls f until it is done, or the context is.
func retry(ctx context.Context, f func() (done bool, err error)) error {
	const first, longest = 5 * time.Millisecond, 200 * time.Millisecond
	for pause := first; ; pause = min(2*pause, longest) {
		done, err := f()
		if done {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		case <-timer.C:
		}
	}
}
