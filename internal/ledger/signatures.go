package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// PlanSignature is a signature of a plan. The ledger stores what its callers have
// verified, and verifies nothing.
type PlanSignature struct {
	Key     string // the fingerprint of the key
	Armored []byte
	Added   time.Time // UTC
	Who     string    // ran the program that added it
}

// Sign records the signature of a plan by a key, in place of an earlier one by the same
// key. The plan must be in the ledger: otherwise the error is ErrUnknownPlan.
func (l *Ledger) Sign(ctx context.Context, plan, key string, armored []byte) error {
	return l.fail("recording a signature in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var known int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM janitor_plans WHERE id = $1`, text(plan)).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return fmt.Errorf("%w: %s", ErrUnknownPlan, plan)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_signatures (plan_id, key, body, added, who) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (plan_id, key) DO UPDATE SET body = excluded.body, added = excluded.added, who = excluded.who`,
			text(plan), text(key), armored, micros(l.now()), text(l.who))
		return err
	}))
}

// Signatures are those of a plan, in the order in which they were added.
func (l *Ledger) Signatures(ctx context.Context, plan string) ([]PlanSignature, error) {
	var all []PlanSignature
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var s PlanSignature
		var added int64
		err := rows.Scan(&s.Key, &s.Armored, &added, &s.Who)
		s.Added = fromMicros(added)
		all = append(all, s)
		return err
	}, `SELECT key, body, added, who FROM janitor_signatures WHERE plan_id = $1 ORDER BY added, key`, text(plan))
	return all, l.fail("reading signatures from", err)
}

// SignedPlans are the plans of runs since a time that have a signature, and whether a run
// has carried them out.
func (l *Ledger) SignedPlans(ctx context.Context, since time.Time) (applied map[string]bool, err error) {
	applied = map[string]bool{}
	err = eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var id string
		var finished int
		err := rows.Scan(&id, &finished)
		applied[id] = finished > 0
		return err
	}, `SELECT s.plan_id, (SELECT count(*) FROM janitor_runs r WHERE r.plan_id = s.plan_id AND r.kind = 'apply' AND r.status = 'finished')
		FROM janitor_signatures s WHERE s.plan_id IN (SELECT plan_id FROM janitor_runs WHERE started >= $1) GROUP BY s.plan_id`, micros(since))
	return applied, l.fail("reading signatures from", err)
}
