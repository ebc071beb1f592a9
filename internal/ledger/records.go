package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// selection is which runs to read, and in which order.
type selection struct {
	clause string
	args   []any
}

func recordsByID[T any](ids map[int64]T) selection {
	s := selection{clause: `WHERE r.id IN (` + placeholders(1, max(len(ids), 1)) + `) ORDER BY r.id`}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		s.args = append(s.args, id)
	}
	if len(ids) == 0 {
		s.args = []any{0} // there is no such run
	}
	return s
}

// records reads runs and says which of them are dead.
func (l *Ledger) records(ctx context.Context, s selection, f func(RunRecord)) error {
	lock, err := l.watch(ctx) // first: what begins later is alive
	if err != nil {
		return err
	}
	rows, err := l.db.QueryContext(ctx, `SELECT r.id, r.kind, r.status, r.started, r.ended, r.who, r.program, r.config_digest, r.policy_digest,
		r.plan_id, r.epoch, COALESCE(r.exit_code, 0), r.message, r.counts, r.summary, r.cause,
		(SELECT count(*) FROM janitor_steps s WHERE s.run_id = r.id AND s.result IS NULL)
		FROM janitor_runs r `+s.clause, s.args...)
	if err != nil {
		return err
	}
	var records []RunRecord
	if err := each(rows, func() error {
		r, epoch, err := scanRecord(rows)
		if r.Status == StatusRunning && l.dead(&r, lock.alive(epoch)) {
			r.Status = StatusInterrupted
		}
		records = append(records, r)
		return err
	}); err != nil {
		return err
	}
	for _, r := range records {
		if r.Counts == nil && r.Kind == runs.KindApply { // it has no end that would have counted
			if r.Counts, _, err = countSteps(ctx, l.db, r.ID); err != nil {
				return err
			}
		}
		f(r)
	}
	return nil
}

// dead says whether a run without an end is not going on. One that only plans
// has no lock by which to tell, but does not take for ever.
func (l *Ledger) dead(r *RunRecord, locks bool) bool {
	if r.Kind == runs.KindPlan {
		return l.now().Sub(r.Started) > planMax
	}
	return !locks
}

// planMax is how long a run that only plans may take.
const planMax = 24 * time.Hour

// scanRecord also returns the epoch of the lock under which the run was begun.
func scanRecord(rows *sql.Rows) (r RunRecord, epoch int64, err error) {
	var started int64
	var ended sql.NullInt64
	var counts, summary string
	if err := rows.Scan(&r.ID, &r.Kind, &r.Status, &started, &ended, &r.Who, &r.Program, &r.ConfigDigest, &r.PolicyDigest,
		&r.PlanID, &epoch, &r.Exit, &r.Message, &counts, &summary, &r.Trigger, &r.Unresolved); err != nil {
		return r, epoch, err
	}
	r.Started, r.Ended = fromMicros(started), fromNullMicros(ended)
	if counts != "" {
		if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
			return r, epoch, fmt.Errorf("reading the counts of run %d: %w", r.ID, err)
		}
	}
	if summary != "" {
		r.Summary = new(actions.Summary)
		if err := json.Unmarshal([]byte(summary), r.Summary); err != nil {
			return r, epoch, fmt.Errorf("reading the summary of the plan of run %d: %w", r.ID, err)
		}
	}
	return r, epoch, nil
}
