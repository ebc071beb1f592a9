package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// records reads the runs that a clause selects, in its order, and finds out which
// of them have died.
func (l *Ledger) records(ctx context.Context, clause string, args ...any) ([]RunRecord, error) {
	lock, err := l.lockState(ctx) // before the runs: a run that begins later is alive
	if err != nil {
		return nil, err
	}
	var records []RunRecord
	if err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		r, epoch, err := scanRecord(rows)
		if r.Status == StatusRunning && l.hasDied(&r, lock.isAlive(epoch)) {
			r.Status = StatusInterrupted
		}
		records = append(records, r)
		return err
	}, `SELECT r.id, r.kind, CASE WHEN r.declined = 1 THEN 'declined' ELSE r.status END, r.started, r.ended, r.who, r.program, r.config_digest, r.policy_digest,
		r.plan_id, r.epoch, COALESCE(r.exit_code, 0), r.message, r.counts, r.summary, r.cause,
		(SELECT count(*) FROM janitor_steps s WHERE s.run_id = r.id AND s.result IS NULL)
		FROM janitor_runs r `+clause, args...); err != nil {
		return nil, err
	}
	for i := range records {
		if r := &records[i]; r.Counts == nil && r.Kind == runs.KindApply { // it never finished
			if r.Counts, _, err = countSteps(ctx, l.db, r.ID); err != nil {
				return nil, err
			}
		}
	}
	return records, nil
}

// hasDied reports whether a run without an end has stopped. A run that
// only plans has no lock, but ends within planMax.
func (l *Ledger) hasDied(r *RunRecord, hasLock bool) bool {
	if r.Kind == runs.KindPlan {
		return l.now().Sub(r.Started) > planMax
	}
	return !hasLock
}

// planMax is how long a run that only plans may take.
const planMax = 24 * time.Hour

// scanRecord also returns the epoch of the lock under which the run began.
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
