package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
)

// SetState records a part of a daemon's state under a name, and replaces the earlier one. The
// value must be one that encoding/json can encode.
func (l *Ledger) SetState(ctx context.Context, name string, value any) error {
	body, err := packed.PackJSON(value)
	if err != nil {
		return l.fail("recording the state of the daemon in", err)
	}
	return l.fail("recording the state of the daemon in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_state (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, text(name), body)
		return err
	}))
}

// State reads into a pointer what SetState recorded, and leaves it as it is if there is
// nothing.
func (l *Ledger) State(ctx context.Context, name string, into any) error {
	var body []byte
	err := l.db.QueryRowContext(ctx, `SELECT body FROM janitor_state WHERE name = $1`, text(name)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = packed.UnpackJSON(body, into)
	}
	return l.fail("reading the state of the daemon from", err)
}

// LastOf is the latest run that a trigger started, and whether there is one.
func (l *Ledger) LastOf(ctx context.Context, trigger string) (RunRecord, bool, error) {
	found, err := l.records(ctx, `WHERE r.cause = $1 ORDER BY r.id DESC LIMIT 1`, text(trigger))
	if err != nil || len(found) == 0 {
		return RunRecord{}, false, l.fail("reading the runs from", err)
	}
	return found[0], true, nil
}
