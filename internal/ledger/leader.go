package ledger

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// leadEvery is how often a daemon that stands by looks whether it may work.
const leadEvery = 3 * time.Second

// Leadership is that of the daemon that works, while others that share its ledger
// stand by. It ends with the process, and has nothing to do with the lock: runs
// that somebody starts by hand take only that one.
type Leadership struct {
	ledger *Ledger
	hold   hold
	epoch  int64
	once   sync.Once
	err    error // of Resign
}

// Lead waits until no other daemon leads, and then does. The error is that of the
// context or of the database.
func (l *Ledger) Lead(ctx context.Context) (*Leadership, error) {
	ticker := time.NewTicker(leadEvery)
	defer ticker.Stop()
	for {
		h, err := l.tryLead(ctx)
		if err != nil {
			return nil, l.fail("leading with", err)
		}
		if h != nil {
			return l.leading(ctx, h)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

func (l *Ledger) tryLead(ctx context.Context) (hold, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.engine.tryLock(ctx, leaderLock)
}

// leading writes down who leads, for those that stand by.
func (l *Ledger) leading(ctx context.Context, h hold) (*Leadership, error) {
	lead := &Leadership{ledger: l, hold: h}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE janitor_leader SET epoch = epoch + 1, who = $1, since = $2 WHERE id = 1 RETURNING epoch`,
			text(l.who), micros(l.now())).Scan(&lead.epoch)
	})
	if err != nil {
		return nil, errors.Join(l.fail("leading with", err), l.fail("resigning from", h.release()))
	}
	return lead, nil
}

// Lost is closed when the leadership is lost: another daemon may lead.
func (k *Leadership) Lost() <-chan struct{} { return k.hold.lost() }

// Resign lets another daemon lead at once. Only the first call does anything.
func (k *Leadership) Resign() error {
	k.once.Do(func() {
		l := k.ledger
		err := l.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE janitor_leader SET who = '' WHERE id = 1 AND epoch = $1`, k.epoch)
			return err
		})
		k.err = errors.Join(l.fail("resigning from", err), l.fail("resigning from", k.hold.release()))
	})
	return k.err
}

// Leader says who was the last to lead, and since when; who is "" if they gave it
// up, and is not known to be alive otherwise.
func (l *Ledger) Leader(ctx context.Context) (who string, since time.Time, err error) {
	var at int64
	if err := l.db.QueryRowContext(ctx, `SELECT who, since FROM janitor_leader WHERE id = 1`).Scan(&who, &at); err != nil {
		return "", time.Time{}, l.fail("reading who leads from", err)
	}
	return who, fromMicros(at), nil
}
