package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
)

// A run that applies is the journal of what it applies.

// Intend records that a step is about to be sent: only then may the step be sent.
// After a write has failed, it refuses every further step. Intending a step again, to
// send it once more, removes its result.
func (r *Run) Intend(ctx context.Context, s actions.Step) error {
	if r.lock == nil {
		return r.ledger.fail("writing to the journal of", fmt.Errorf("a run that only plans has no journal: %w", ErrNotLocked))
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		return r.ledger.fail("writing to the journal of", err)
	}
	return r.append(ctx, &entry{kind: entryIntent, ref: text(s.Ref), action: string(s.Action), body: string(encoded), at: micros(r.ledger.now())})
}

// Done records the result of a step. It is written even if the context ends meanwhile.
// Only the first result counts, except that "done" replaces any other: another run may
// have taken this one for dead, and have read the object before it was deleted.
func (r *Run) Done(ctx context.Context, res actions.StepResult) error {
	e := r.result(res)
	return r.append(ctx, &e)
}

func (r *Run) result(res actions.StepResult) entry {
	if res.At.IsZero() {
		res.At = r.ledger.now()
	}
	return resultEntry(res)
}

func resultEntry(res actions.StepResult) entry {
	return entry{
		kind: entryResult, ref: text(res.Ref), action: string(res.Action),
		result: text(string(res.Result)), body: text(res.Detail), at: micros(res.At),
	}
}

// journal is the queue of entries to write. Entries that arrive during one
// transaction share the next one.
type journal struct {
	mu      sync.Mutex
	waiting []*entry
	writing bool
	failed  error // the first failure
}

type entryKind uint8

const (
	entryNothing entryKind = iota // only waits for the entries before it
	entryIntent
	entryResult
)

type entry struct {
	kind        entryKind
	ref, action string
	result      string
	body        string // the step as JSON, or the detail of a result
	at          int64
	written     chan error
}

// batchMax bounds the entries of one transaction, and so how long the first of them
// waits.
const batchMax = 256

// append writes an entry and waits until it is on disk.
func (r *Run) append(ctx context.Context, e *entry) error {
	e.written = make(chan error, 1)
	j := &r.journal
	j.mu.Lock()
	if j.failed != nil && e.kind == entryIntent {
		defer j.mu.Unlock()
		return r.ledger.fail("writing to the journal of", fmt.Errorf("an earlier entry failed: %w", j.failed))
	}
	j.waiting = append(j.waiting, e)
	if !j.writing {
		j.writing = true
		go r.drain()
	}
	j.mu.Unlock()
	select {
	case err := <-e.written:
		return r.ledger.fail("writing to the journal of", err)
	case <-ctx.Done():
		return r.ledger.fail("writing to the journal of", ctx.Err())
	}
}

// drain writes until the queue is empty.
func (r *Run) drain() {
	for {
		batch := r.journal.next()
		if batch == nil {
			return
		}
		err := r.commit(batch)
		r.journal.note(err)
		results := slices.DeleteFunc(slices.Clone(batch), func(e *entry) bool { return e.kind != entryResult })
		resultErr := err
		if err != nil && len(results) < len(batch) {
			resultErr = r.commit(results) // a refused intent must not take results along
		}
		for _, e := range batch {
			if e.kind == entryResult {
				e.written <- resultErr
			} else {
				e.written <- err
			}
		}
	}
}

func (j *journal) next() []*entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.waiting), batchMax)
	if n == 0 {
		j.waiting, j.writing = nil, false
		return nil
	}
	batch := j.waiting[:n:n]
	j.waiting = j.waiting[n:]
	return batch
}

func (j *journal) note(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = err
	}
}

// commit writes entries in one transaction.
func (r *Run) commit(batch []*entry) error {
	return r.ledger.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		confirmed := false
		for _, e := range batch {
			if e.kind == entryIntent && !confirmed {
				if err := r.lock.confirm(ctx, tx); err != nil {
					return err
				}
				confirmed = true
			}
			if err := e.write(ctx, tx, r.id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *entry) write(ctx context.Context, tx *sql.Tx, run int64) error {
	var err error
	switch e.kind {
	case entryIntent:
		_, err = tx.ExecContext(ctx, `INSERT INTO janitor_steps (run_id, ref, action, step, tries, intended) VALUES ($1, $2, $3, $4, 1, $5)
			ON CONFLICT (run_id, ref, action) DO UPDATE SET step = excluded.step, tries = janitor_steps.tries + 1,
			intended = COALESCE(janitor_steps.intended, excluded.intended), done = NULL, result = NULL, detail = NULL`,
			run, e.ref, e.action, e.body, e.at)
	case entryResult:
		err = writeResults(ctx, tx, run, []entry{*e})
	}
	return err
}

// writeResults writes results of different steps.
func writeResults(ctx context.Context, tx *sql.Tx, run int64, results []entry) error {
	return inChunks(results, 6, func(values string, some []entry) error {
		var args []any
		for _, e := range some {
			args = append(args, run, e.ref, e.action, e.at, e.result, e.body)
		}
		//nolint:gosec // G202: values has only placeholders
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_steps (run_id, ref, action, done, result, detail) VALUES `+values+`
			ON CONFLICT (run_id, ref, action) DO UPDATE SET done = excluded.done, result = excluded.result, detail = excluded.detail
			WHERE janitor_steps.result IS NULL OR excluded.result = 'done' AND janitor_steps.result <> 'done'`, args...)
		return err
	})
}
