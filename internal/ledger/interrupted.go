package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Interruption is a run whose process ended early, or that could not record
// everything.
type Interruption struct {
	Run int64
	// Steps may have been sent, and have no result: read their objects, and call
	// Resolve. They are sorted by ref, then action.
	Steps []actions.Step
}

// Interrupted returns the runs with unresolved steps, and those that died since the
// last call, oldest first. It needs the lock: without the lock it could not
// distinguish them from a run that is going on.
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
	var interrupted []Interruption
	for _, id := range slices.Sorted(maps.Keys(found)) {
		interrupted = append(interrupted, Interruption{Run: id, Steps: found[id]})
	}
	return interrupted, l.fail("looking for interrupted runs in", err)
}

// markDead marks the runs that have died: another process has taken the lock that
// they began under.
func (l *Ledger) markDead(ctx context.Context, tx *sql.Tx, epoch int64, found map[int64][]actions.Step) error {
	if err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		found[id] = nil
		return err
	}, `UPDATE janitor_runs SET status = 'interrupted' WHERE kind = 'apply' AND status = 'running' AND epoch <> $1 RETURNING id`, epoch); err != nil {
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
	return eachRow(ctx, tx, func(rows *sql.Rows) error {
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
	}, `SELECT s.run_id, s.step FROM janitor_steps s JOIN janitor_runs r ON r.id = s.run_id
		WHERE s.result IS NULL AND NOT (r.status = 'running' AND r.epoch = $1) ORDER BY s.run_id, s.ref, s.action`, epoch)
}

// Resolve records the result of a step that an earlier run left unresolved. If that run
// was not dead and has recorded a result since, this one counts only if it is "done".
// Resolve needs the lock.
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
		var intended bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM janitor_steps WHERE run_id = $1 AND ref = $2 AND action = $3 AND intended IS NOT NULL)`,
			run, text(res.Ref), string(res.Action)).Scan(&intended); err != nil {
			return err
		}
		if !intended {
			return fmt.Errorf("run %d has sent no step %s of %s", run, res.Action, res.Ref)
		}
		res.At = fromMicros(now)
		if err := writeResults(ctx, tx, run, []entry{resultEntry(res)}); err != nil {
			return err
		}
		return endDeleted(ctx, tx, run, now)
	}))
}
