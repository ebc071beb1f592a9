package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Plan returns a plan that a run has recorded.
func (l *Ledger) Plan(ctx context.Context, id string) (*actions.Plan, error) {
	var packed []byte
	err := l.db.QueryRowContext(ctx, `SELECT body FROM janitor_plans WHERE id = $1`, text(id)).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, l.fail("reading a plan from", fmt.Errorf("the ledger has no plan %s", id))
	}
	if err != nil {
		return nil, l.fail("reading a plan from", err)
	}
	body, err := unpack(packed)
	if err != nil {
		return nil, l.fail("reading a plan from", err)
	}
	plan, err := actions.Decode(bytes.NewReader(body))
	return plan, l.fail("reading a plan from", err)
}

// ForgetPlans deletes the plans that were made before a time and that no run has
// applied, so that the ledger does not grow with every run. The runs, the journal and
// the history are kept. It returns how many plans it deleted.
func (l *Ledger) ForgetPlans(ctx context.Context, before time.Time) (deleted int64, err error) {
	err = l.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM janitor_plans WHERE NOT EXISTS
			(SELECT 1 FROM janitor_runs r WHERE r.plan_id = janitor_plans.id AND (r.kind = 'apply' OR r.started >= $1))`, micros(before))
		if err != nil {
			return err
		}
		deleted, err = done.RowsAffected()
		return err
	})
	return deleted, l.fail("deleting old plans from", err)
}

// MedianDeletions is the median of the confirmed deletions of the latest n runs that
// finished applying a plan, and how many such runs there are, n at most.
func (l *Ledger) MedianDeletions(ctx context.Context, n int) (median float64, runs int, err error) {
	var deletions []int
	if err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var n int
		err := rows.Scan(&n)
		deletions = append(deletions, n)
		return err
	}, `SELECT deletions FROM janitor_runs WHERE kind = 'apply' AND status = 'finished' ORDER BY id DESC LIMIT $1`, n); err != nil {
		return 0, 0, l.fail("reading the runs from", err)
	}
	if len(deletions) == 0 {
		return 0, 0, nil
	}
	slices.Sort(deletions)
	middle := len(deletions) / 2
	if len(deletions)%2 == 1 {
		return float64(deletions[middle]), len(deletions), nil
	}
	return float64(deletions[middle-1]+deletions[middle]) / 2, len(deletions), nil
}
