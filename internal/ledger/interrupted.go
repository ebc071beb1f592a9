package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Interruption is a run whose process ended before the run did, or that could
// not record everything.
type Interruption struct {
	RunRecord
	// Steps were meant to be sent, and nobody knows what became of them: look, and
	// tell Resolve. They are sorted by ref, then action.
	Steps []actions.Step
}

// Interrupted returns the runs that left steps unresolved, and those that died
// since it was last called, oldest first. It needs the lock: without it, a run
// that is going on looks the same.
func (l *Ledger) Interrupted(ctx context.Context) ([]Interruption, error) {
	lock := l.held()
	if err := lock.valid(); err != nil {
		return nil, l.fail("looking for interrupted runs in", err)
	}
	found := make(map[int64][]actions.Step)
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock.confirm(ctx, tx); err != nil {
			return err
		}
		if err := l.markDead(ctx, tx, lock.epoch, found); err != nil {
			return err
		}
		return unresolved(ctx, tx, lock.epoch, found)
	})
	if err != nil {
		return nil, l.fail("looking for interrupted runs in", err)
	}
	interruptions := make([]Interruption, 0, len(found))
	err = l.records(ctx, recordsByID(found), func(r RunRecord) {
		interruptions = append(interruptions, Interruption{RunRecord: r, Steps: found[r.ID]})
	})
	return interruptions, l.fail("looking for interrupted runs in", err)
}

// markDead marks the runs that cannot be alive: the lock under which they were
// begun has been taken by another one since.
func (l *Ledger) markDead(ctx context.Context, tx *sql.Tx, epoch int64, found map[int64][]actions.Step) error {
	rows, err := tx.QueryContext(ctx, `UPDATE janitor_runs SET status = 'interrupted' WHERE kind = 'apply' AND status = 'running' AND epoch <> $1 RETURNING id`, epoch)
	if err != nil {
		return err
	}
	if err := each(rows, func() error {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		found[id] = nil
		return nil
	}); err != nil {
		return err
	}
	now := micros(l.now())
	for id := range found {
		if err := endDeleted(ctx, tx, id, now); err != nil {
			return err
		}
	}
	return nil
}

func unresolved(ctx context.Context, tx *sql.Tx, epoch int64, found map[int64][]actions.Step) error {
	rows, err := tx.QueryContext(ctx, `SELECT s.run_id, s.step FROM janitor_steps s JOIN janitor_runs r ON r.id = s.run_id
		WHERE s.result IS NULL AND NOT (r.status = 'running' AND r.epoch = $1) ORDER BY s.run_id, s.ref, s.action`, epoch)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var id int64
		var encoded string
		if err := rows.Scan(&id, &encoded); err != nil {
			return err
		}
		var s actions.Step
		if err := json.Unmarshal([]byte(encoded), &s); err != nil {
			return fmt.Errorf("reading a step of run %d: %w", id, err)
		}
		found[id] = append(found[id], s)
		return nil
	})
}

// Resolve records what became of a step that an earlier run left unresolved. It
// needs the lock.
func (l *Ledger) Resolve(ctx context.Context, run int64, res actions.StepResult) error {
	lock := l.held()
	if err := lock.valid(); err != nil {
		return l.fail("resolving a step in", err)
	}
	return l.fail("resolving a step in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock.confirm(ctx, tx); err != nil {
			return err
		}
		now := micros(l.now())
		changed, err := tx.ExecContext(ctx, `UPDATE janitor_steps SET done = $1, result = $2, detail = $3 WHERE run_id = $4 AND ref = $5 AND action = $6 AND result IS NULL`,
			now, text(string(res.Result)), text(res.Detail), run, text(res.Ref), string(res.Action))
		if err != nil {
			return err
		}
		if n, err := changed.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("run %d has no unresolved step %s of %s", run, res.Action, res.Ref)
		}
		return endDeleted(ctx, tx, run, now)
	}))
}
