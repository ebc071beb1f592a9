package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// RunRecord is a run as the ledger has it.
type RunRecord struct {
	ID           int64                  `json:"id"`
	Kind         runs.Kind              `json:"kind"`
	Trigger      string                 `json:"trigger"` // the name of a schedule, or "command"
	Status       Status                 `json:"status"`
	Started      time.Time              `json:"started"`        // UTC
	Ended        time.Time              `json:"ended,omitzero"` // UTC; zero without a recorded end
	Who          string                 `json:"by"`
	Program      string                 `json:"program"`
	ConfigDigest string                 `json:"config_digest"`
	PolicyDigest string                 `json:"policy_digest"`
	PlanID       string                 `json:"plan_id,omitempty"` // "" without a plan
	Summary      *actions.Summary       `json:"summary"`           // of the plan; nil when there is none
	Counts       map[actions.Result]int `json:"results,omitempty"` // steps
	Unresolved   int                    `json:"unresolved"`        // steps that may have been sent, and have no result
	Exit         int                    `json:"exit"`
	Message      string                 `json:"message,omitempty"`
}

// Runs returns the newest runs first, at most limit of them; 0 means all. A run that
// applies is shown as interrupted if its process has ended.
func (l *Ledger) Runs(ctx context.Context, limit int) ([]RunRecord, error) {
	if limit <= 0 {
		limit = math.MaxInt32
	}
	runs, err := l.records(ctx, `ORDER BY r.id DESC LIMIT $1`, limit)
	return runs, l.fail("reading the runs from", err)
}

// RunDetails is a run with its steps.
type RunDetails struct {
	RunRecord
	// Outcome is the outcome in Ending; nil if there is none.
	Outcome *actions.Outcome `json:"-"`
	// Steps is the journal, sorted by ref, then action.
	Steps []StepRecord `json:"steps"`
	// SamePlan are the other runs with the same plan, oldest first: the run that made
	// it, and those that applied it.
	SamePlan []int64 `json:"same_plan,omitempty"`
	// Approvals are those of its plan; nil if it needs none. The ledger leaves them to the
	// caller, who knows the approvers.
	Approvals *runs.Approvals `json:"approvals,omitempty"`
}

// StepRecord is a step in the journal.
type StepRecord struct {
	Ref    string         `json:"ref"`
	Action actions.Action `json:"action"`
	// Step is the step of the plan; nil if it was never tried.
	Step     *actions.Step  `json:"step,omitempty"`
	Tries    int            `json:"tries"` // how often Intend was called
	Intended time.Time      `json:"intended,omitzero"`
	Done     time.Time      `json:"done,omitzero"`    // UTC; zero if it did not happen
	Result   actions.Result `json:"result,omitempty"` // "" if it is not known
	Detail   string         `json:"detail,omitempty"`
}

// RunWithPlan returns one run, whose steps are also those of its plan that the journal
// does not have, if that plan is kept.
func (l *Ledger) RunWithPlan(ctx context.Context, id int64) (*RunDetails, error) {
	d, err := l.Run(ctx, id)
	if err != nil || d.PlanID == "" {
		return d, err
	}
	plan, err := l.Plan(ctx, d.PlanID)
	if errors.Is(err, ErrUnknownPlan) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	type key struct {
		ref    string
		action actions.Action
	}
	at := make(map[key]int, len(d.Steps))
	for i := range d.Steps {
		at[key{d.Steps[i].Ref, d.Steps[i].Action}] = i
	}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		if known, ok := at[key{s.Ref, s.Action}]; ok {
			d.Steps[known].Step = cmp.Or(d.Steps[known].Step, s)
			continue
		}
		d.Steps = append(d.Steps, StepRecord{Ref: s.Ref, Action: s.Action, Step: s})
	}
	slices.SortFunc(d.Steps, func(a, b StepRecord) int { return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Action, b.Action)) })
	return d, nil
}

// Run returns one run.
func (l *Ledger) Run(ctx context.Context, id int64) (*RunDetails, error) {
	d, err := l.details(ctx, id)
	return d, l.fail("reading a run from", err)
}

func (l *Ledger) details(ctx context.Context, id int64) (*RunDetails, error) {
	found, err := l.records(ctx, `WHERE r.id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %d", ErrUnknownRun, id)
	}
	d := &RunDetails{RunRecord: found[0]}
	var outcome []byte
	if err := l.db.QueryRowContext(ctx, `SELECT outcome FROM janitor_runs WHERE id = $1`, id).Scan(&outcome); err != nil {
		return nil, err
	}
	if outcome != nil {
		if err := packed.UnpackJSON(outcome, &d.Outcome); err != nil {
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
	var ids []int64
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM janitor_runs WHERE plan_id = $1 AND id <> $2 ORDER BY id`, r.PlanID, r.ID)
	return ids, err
}

func (l *Ledger) steps(ctx context.Context, run int64) ([]StepRecord, error) {
	var steps []StepRecord
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
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
	}, `SELECT ref, action, step, tries, intended, done, COALESCE(result, ''), COALESCE(detail, '')
		FROM janitor_steps WHERE run_id = $1 ORDER BY ref, action`, run)
	return steps, err
}
