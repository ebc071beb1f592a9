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

// RunRecord is what the ledger knows about a run.
type RunRecord struct {
	ID                         int64
	Kind                       runs.Kind
	Trigger                    string // what started it: the name of a schedule, or "command"
	Status                     Status
	Started, Ended             time.Time // UTC; Ended is zero for a run that has no recorded end
	Who, Program               string
	ConfigDigest, PolicyDigest string
	PlanID                     string                 // "" when there is no plan
	Summary                    *actions.Summary       // of the plan; nil when there is none
	Counts                     map[actions.Result]int // steps
	Unresolved                 int                    // steps that were to be sent and of which no result is known
	Exit                       int
	Message                    string
}

// Runs returns the newest runs first, at most limit of them; 0 means all. A run
// that changes things and whose process is gone shows as interrupted.
func (l *Ledger) Runs(ctx context.Context, limit int) ([]RunRecord, error) {
	var runs []RunRecord
	filter := selection{clause: `ORDER BY r.id DESC`}
	if limit > 0 {
		filter = selection{clause: `ORDER BY r.id DESC LIMIT $1`, args: []any{limit}}
	}
	err := l.records(ctx, filter, func(r RunRecord) { runs = append(runs, r) })
	return runs, l.fail("reading the runs from", err)
}

// RunDetails is a run with everything that belongs to it.
type RunDetails struct {
	RunRecord
	// Outcome is what Finish was given; nil when there is none.
	Outcome *actions.Outcome
	// Steps is the journal, sorted by ref, then action.
	Steps []StepRecord
	// SamePlan are the other runs with the same plan: the one that made it, and
	// those that applied it. Oldest first.
	SamePlan []int64
}

// StepRecord is what the journal has of one step.
type StepRecord struct {
	Ref    string
	Action actions.Action
	// Step is what was to be sent; nil if nothing ever was.
	Step           *actions.Step
	Tries          int            // how often it was about to be sent
	Intended, Done time.Time      // UTC; zero where there is none
	Result         actions.Result // "" when it is not known what became of it
	Detail         string
}

// Run returns one run.
func (l *Ledger) Run(ctx context.Context, id int64) (*RunDetails, error) {
	d, err := l.details(ctx, id)
	return d, l.fail("reading a run from", err)
}

func (l *Ledger) details(ctx context.Context, id int64) (*RunDetails, error) {
	var d *RunDetails
	err := l.records(ctx, selection{clause: `WHERE r.id = $1`, args: []any{id}}, func(r RunRecord) { d = &RunDetails{RunRecord: r} })
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, fmt.Errorf("%w: %d", ErrUnknownRun, id)
	}
	var outcome []byte
	if err := l.db.QueryRowContext(ctx, `SELECT outcome FROM janitor_runs WHERE id = $1`, id).Scan(&outcome); err != nil {
		return nil, err
	}
	if outcome != nil {
		if err := unpackJSON(outcome, &d.Outcome); err != nil {
			return nil, fmt.Errorf("the outcome: %w", err)
		}
	}
	if d.SamePlan, err = l.samePlan(ctx, &d.RunRecord); err != nil {
		return nil, err
	}
	d.Steps, err = l.steps(ctx, id)
	return d, err
}

func (l *Ledger) samePlan(ctx context.Context, r *RunRecord) ([]int64, error) {
	if r.PlanID == "" {
		return nil, nil
	}
	rows, err := l.db.QueryContext(ctx, `SELECT id FROM janitor_runs WHERE plan_id = $1 AND id <> $2 ORDER BY id`, r.PlanID, r.ID)
	if err != nil {
		return nil, err
	}
	var ids []int64
	return ids, each(rows, func() error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
}

func (l *Ledger) steps(ctx context.Context, run int64) ([]StepRecord, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT ref, action, step, tries, intended, done, COALESCE(result, ''), COALESCE(detail, '')
		FROM janitor_steps WHERE run_id = $1 ORDER BY ref, action`, run)
	if err != nil {
		return nil, err
	}
	var steps []StepRecord
	return steps, each(rows, func() error {
		var s StepRecord
		var encoded string
		var intended, done sql.NullInt64
		if err := rows.Scan(&s.Ref, &s.Action, &encoded, &s.Tries, &intended, &done, &s.Result, &s.Detail); err != nil {
			return err
		}
		s.Intended, s.Done = fromNullMicros(intended), fromNullMicros(done)
		if encoded != "" {
			s.Step = new(actions.Step)
			if err := json.Unmarshal([]byte(encoded), s.Step); err != nil {
				return fmt.Errorf("reading the step %s of %s: %w", s.Action, s.Ref, err)
			}
		}
		steps = append(steps, s)
		return nil
	})
}
