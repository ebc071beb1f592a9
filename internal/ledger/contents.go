package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// A schedule plans the same again and again. So the steps of a plan, which are most of
// it, and everything else except the time of its scan are stored once, by their digests.

// plannedSteps is the part of a plan that seldom changes from run to run.
type plannedSteps struct {
	Steps  []actions.Step         `json:"steps"`
	Images []actions.PlannedImage `json:"images,omitempty"`
}

// content is a part of a plan, packed.
type content struct {
	digest string
	body   []byte
}

func contentOf(part any) (content, error) {
	encoded, err := json.Marshal(part)
	if err != nil {
		return content{}, err
	}
	body, err := packJSON(json.RawMessage(encoded))
	sum := sha256.Sum256(encoded)
	return content{"sha256:" + hex.EncodeToString(sum[:]), body}, err
}

// contentsOf takes a plan apart. What belongs to one run is not in it: the outcome, and
// the time.
func contentsOf(p *actions.Plan) (steps, rest content, err error) {
	bare := *p
	bare.ID, bare.TakenAt, bare.Outcome, bare.Steps, bare.Images = "", time.Time{}, nil, nil, nil
	if steps, err = contentOf(plannedSteps{p.Steps, p.Images}); err != nil {
		return steps, rest, err
	}
	rest, err = contentOf(bare)
	return steps, rest, err
}

// assemble is the reverse of contentsOf. The ID proves that the plan is what it was.
func assemble(id string, taken time.Time, steps, rest []byte) (*actions.Plan, error) {
	p := new(actions.Plan)
	var planned plannedSteps
	if err := errors.Join(unpackJSON(rest, p), unpackJSON(steps, &planned)); err != nil {
		return nil, err
	}
	p.TakenAt, p.Steps, p.Images = taken, planned.Steps, planned.Images
	if p.Seal(); p.ID != id {
		return nil, fmt.Errorf("the plan %s is damaged: its contents have the id %s", id, p.ID)
	}
	return p, nil
}

// storePlan stores a plan that is not stored yet: by its contents, or as a whole if
// these do not lead back to it.
func storePlan(ctx context.Context, tx *sql.Tx, p *actions.Plan) error {
	steps, rest, err := contentsOf(p)
	if err != nil {
		return err
	}
	if _, err := assemble(p.ID, fromMicros(micros(p.TakenAt)), steps.body, rest.body); err != nil {
		return storeWhole(ctx, tx, p)
	}
	for _, c := range []content{steps, rest} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO janitor_contents (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, c.digest, c.body); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO janitor_plans (id, body, steps, rest, taken) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
		text(p.ID), []byte{}, steps.digest, rest.digest, micros(p.TakenAt))
	return err
}

func storeWhole(ctx context.Context, tx *sql.Tx, p *actions.Plan) error {
	bare := *p
	bare.Outcome = nil // it belongs to one run; several runs may apply the plan
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if err := errors.Join(bare.Encode(z), z.Close()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO janitor_plans (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, text(p.ID), body.Bytes())
	return err
}
