package packed

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Part is a part of a plan, packed.
type Part struct {
	Digest string
	Body   []byte
}

// PackPlan takes a plan apart. What belongs to one run is not in it: the outcome, and the
// time.
func PackPlan(p *actions.Plan) (steps, rest Part, err error) {
	bare := *p
	bare.ID, bare.TakenAt, bare.Outcome, bare.Steps, bare.Images = "", time.Time{}, nil, nil, nil
	if steps, err = partOf(plannedSteps{p.Steps, p.Images}); err != nil {
		return steps, rest, err
	}
	rest, err = partOf(bare)
	return steps, rest, err
}

func partOf(part any) (Part, error) {
	encoded, err := json.Marshal(part)
	if err != nil {
		return Part{}, err
	}
	body, err := PackJSON(json.RawMessage(encoded))
	sum := sha256.Sum256(encoded)
	return Part{"sha256:" + hex.EncodeToString(sum[:]), body}, err
}

// UnpackPlan is the reverse of PackPlan. The ID proves that the plan is what it was.
func UnpackPlan(id string, taken time.Time, steps, rest []byte) (*actions.Plan, error) {
	p := new(actions.Plan)
	var planned plannedSteps
	if err := errors.Join(UnpackJSON(rest, p), UnpackJSON(steps, &planned)); err != nil {
		return nil, err
	}
	p.TakenAt, p.Steps, p.Images = taken, planned.Steps, planned.Images
	if p.Seal(); p.ID != id {
		return nil, fmt.Errorf("the plan %s is damaged: its contents have the id %s", id, p.ID)
	}
	return p, nil
}

// PackWhole encodes a plan without its outcome, which belongs to one run: several runs may
// apply the plan. UnpackWhole decodes it.
func PackWhole(p *actions.Plan) ([]byte, error) {
	bare := *p
	bare.Outcome = nil
	return zip(bare.Encode)
}

// UnpackWhole decodes what PackWhole encoded.
func UnpackWhole(packed []byte) (*actions.Plan, error) {
	body, err := unzip(packed)
	if err != nil {
		return nil, err
	}
	return actions.Decode(bytes.NewReader(body))
}

// PackJSON encodes a value; UnpackJSON decodes it.
func PackJSON(v any) ([]byte, error) {
	return zip(func(w io.Writer) error { return json.NewEncoder(w).Encode(v) })
}

// UnpackJSON decodes what PackJSON encoded.
func UnpackJSON(packed []byte, into any) error {
	encoded, err := unzip(packed)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, into)
}

func zip(write func(io.Writer) error) ([]byte, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := errors.Join(write(z), z.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func unzip(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	return io.ReadAll(z)
}
