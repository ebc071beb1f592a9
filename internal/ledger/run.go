package ledger

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Status is the state of a run.
type Status string

// The statuses.
const (
	StatusRunning Status = "running"
	// StatusFinished: the run came to its end, whatever the results of its steps.
	StatusFinished Status = "finished"
	// StatusFailed: an error or a limit ended the run early.
	StatusFailed Status = "failed"
	// StatusDeclined: the operator declined the plan, so that nothing was changed.
	StatusDeclined Status = "declined"
	// StatusInterrupted: the run was stopped, or its process died.
	StatusInterrupted Status = "interrupted"
)

// RunInfo describes a run that begins.
type RunInfo struct {
	Kind runs.Kind
	// Trigger started the run: the name of a schedule, or "command".
	Trigger                    string
	ConfigDigest, PolicyDigest string
}

// Run is a run that is being recorded. It is safe for concurrent use. A run that is
// never finished counts as interrupted once its process has ended.
type Run struct {
	ledger  *Ledger
	id      int64
	lock    *Lock // nil for a run that changes nothing
	journal journal
}

// Begin records the start of a run. A run that applies needs the lock.
func (l *Ledger) Begin(ctx context.Context, info RunInfo) (*Run, error) {
	r := &Run{ledger: l}
	var epoch int64
	if info.Kind == runs.KindApply {
		r.lock = l.held()
		if err := r.lock.valid(); err != nil {
			return nil, l.fail("beginning a run in", err)
		}
		epoch = r.lock.epoch
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if r.lock != nil {
			if err := r.lock.confirm(ctx, tx); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `INSERT INTO janitor_runs (kind, status, started, who, program, config_digest, policy_digest, epoch, cause)
			VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
			string(info.Kind), micros(l.now()), text(l.who), text(l.program), text(info.ConfigDigest), text(info.PolicyDigest), epoch, text(info.Trigger)).Scan(&r.id)
	})
	if err != nil {
		return nil, l.fail("beginning a run in", err)
	}
	return r, nil
}

// ID is the number of the run: 1 for the first one in the ledger.
func (r *Run) ID() int64 { return r.id }

// Plan records the plan that this run made or is about to apply.
//
// For a plan that this run made, covered reports whether the run has a verdict on
// the object of a reference, without a gap or an error: if the plan no longer holds
// that object, the hold ends. It is nil for a plan from a file, which does not
// describe the present.
func (r *Run) Plan(ctx context.Context, p *actions.Plan, covered func(registry.Ref) bool) error {
	summary, err := json.Marshal(p.Summary)
	if err != nil {
		return r.ledger.fail("recording the plan in", err)
	}
	return r.ledger.fail("recording the plan in", r.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := storePlan(ctx, tx, p); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE janitor_runs SET plan_id = $1, summary = $2 WHERE id = $3`, text(p.ID), string(summary), r.id); err != nil {
			return err
		}
		if covered == nil {
			return nil
		}
		return r.observe(ctx, tx, spanHeld, p.TakenAt, heldSpans(p.Held), covered)
	}))
}

// Ending is how a run ended.
type Ending struct {
	Status  Status
	Exit    int    // the exit code of the program
	Message string // the error, if there was one
	// Outcome has the results of the steps; nil for a run that applied nothing. The
	// results of steps that were never tried are recorded too.
	Outcome *actions.Outcome
}

// Finish records how the run ended, even if the context has ended. It writes the
// entries of the journal first.
func (r *Run) Finish(ctx context.Context, e Ending) error {
	l := r.ledger
	var outcome []byte
	if e.Outcome != nil {
		var err error
		if outcome, err = packed.PackJSON(e.Outcome); err != nil {
			return l.fail("recording the outcome in", err)
		}
	}
	// An entry that could not be written has returned its error; the end is recorded anyway.
	_ = r.append(context.WithoutCancel(ctx), &entry{})
	return l.fail("finishing a run in", l.writeMuch(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		if err := r.complete(ctx, tx, e.Outcome); err != nil {
			return err
		}
		counts, deletions, err := countSteps(ctx, tx, r.id)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(counts)
		if err != nil {
			return err
		}
		now := micros(l.now())
		status, declined := e.Status, 0
		if status == StatusDeclined { // as stored: failed, and declined
			status, declined = StatusFailed, 1
		}
		if _, err := tx.ExecContext(ctx, `UPDATE janitor_runs SET status = $1, ended = $2, exit_code = $3, message = $4, counts = $5, deletions = $6, outcome = $7, declined = $9 WHERE id = $8`,
			string(status), now, e.Exit, text(e.Message), string(encoded), deletions, outcome, r.id, declined); err != nil {
			return err
		}
		return endDeleted(ctx, tx, r.id, now)
	}))
}

// complete records the results that are missing in the journal.
func (r *Run) complete(ctx context.Context, tx *sql.Tx, o *actions.Outcome) error {
	if o == nil {
		return nil
	}
	const done = string(actions.ResultDone)
	type key struct{ ref, action string }
	known := make(map[key]string)
	if err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var k key
		var result string
		err := rows.Scan(&k.ref, &k.action, &result)
		known[k] = result
		return err
	}, `SELECT ref, action, result FROM janitor_steps WHERE run_id = $1 AND result IS NOT NULL`, r.id); err != nil {
		return err
	}
	var missing []entry
	for _, res := range o.Results {
		e := r.result(res)
		k := key{e.ref, e.action}
		if was := known[k]; was == "" || was != done && e.result == done {
			known[k] = e.result
			missing = append(missing, e)
		}
	}
	return writeResults(ctx, tx, r.id, missing)
}

// countSteps counts the steps of a run by result, and the confirmed deletions.
func countSteps(ctx context.Context, q querier, run int64) (counts map[actions.Result]int, deletions int, err error) {
	counts = make(map[actions.Result]int)
	err = eachRow(ctx, q, func(rows *sql.Rows) error {
		var result actions.Result
		var action actions.Action
		var n int
		if err := rows.Scan(&result, &action, &n); err != nil {
			return err
		}
		counts[result] += n
		if result == actions.ResultDone && action.Deletes() {
			deletions += n
		}
		return nil
	}, `SELECT result, action, count(*) FROM janitor_steps WHERE run_id = $1 AND result IS NOT NULL GROUP BY result, action`, run)
	return counts, deletions, err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// eachRow calls scan for every row of a query.
func eachRow(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
