package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
)

// Plan returns a plan that a run has recorded.
func (l *Ledger) Plan(ctx context.Context, id string) (*actions.Plan, error) {
	var whole, steps, rest []byte
	var taken int64
	err := l.db.QueryRowContext(ctx, `SELECT p.body, p.taken, COALESCE(s.body, p.body), COALESCE(r.body, p.body) FROM janitor_plans p
		LEFT JOIN janitor_contents s ON s.digest = p.steps LEFT JOIN janitor_contents r ON r.digest = p.rest
		WHERE p.id = $1`, text(id)).Scan(&whole, &taken, &steps, &rest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, l.fail("reading a plan from", fmt.Errorf("%w: %s", ErrUnknownPlan, id))
	}
	if err != nil {
		return nil, l.fail("reading a plan from", err)
	}
	var plan *actions.Plan
	if len(whole) > 0 {
		plan, err = packed.UnpackWhole(whole)
	} else {
		plan, err = packed.UnpackPlan(id, fromMicros(taken), steps, rest)
	}
	return plan, l.fail("reading a plan from", err)
}

// storePlan stores a plan that is not stored yet: by its contents, or as a whole if
// these do not lead back to it.
func storePlan(ctx context.Context, tx *sql.Tx, p *actions.Plan) error {
	steps, rest, err := packed.PackPlan(p)
	if err != nil {
		return err
	}
	if _, err := packed.UnpackPlan(p.ID, fromMicros(micros(p.TakenAt)), steps.Body, rest.Body); err != nil {
		whole, err := packed.PackWhole(p)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO janitor_plans (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, text(p.ID), whole)
		}
		return err
	}
	for _, c := range []packed.Part{steps, rest} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO janitor_contents (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, c.Digest, c.Body); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO janitor_plans (id, body, steps, rest, taken) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
		text(p.ID), []byte{}, steps.Digest, rest.Digest, micros(p.TakenAt))
	return err
}

// Forget deletes the runs that only made a plan, and the plans, if they are from
// before a time, so that the ledger does not grow with every run. It keeps what was applied: those runs and
// their plans, the journal, and since when tags are marked.
func (l *Ledger) Forget(ctx context.Context, before time.Time) error {
	return l.fail("deleting old runs from", l.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		old := micros(before)
		for _, statement := range []struct {
			sql  string
			args []any
		}{
			{`DELETE FROM janitor_runs WHERE kind = 'plan' AND started < $1
				AND id NOT IN (SELECT since_run FROM janitor_spans) AND id NOT IN (SELECT ended_run FROM janitor_spans WHERE ended_run IS NOT NULL)
				AND id NOT IN (SELECT run_id FROM janitor_steps)`, []any{old}},
			{`DELETE FROM janitor_plans WHERE id NOT IN (SELECT plan_id FROM janitor_runs WHERE kind = 'apply' OR started >= $1)`, []any{old}},
			{`DELETE FROM janitor_signatures WHERE plan_id NOT IN (SELECT id FROM janitor_plans)`, nil},
			{`DELETE FROM janitor_contents WHERE digest NOT IN (SELECT steps FROM janitor_plans UNION SELECT rest FROM janitor_plans)`, nil},
		} {
			if _, err := tx.ExecContext(ctx, statement.sql, statement.args...); err != nil {
				return err
			}
		}
		return nil
	}))
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
	last := len(deletions) - 1
	return float64(deletions[last/2]+deletions[(last+1)/2]) / 2, len(deletions), nil
}
