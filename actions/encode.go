package actions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/actions/internal/lines"
)

// Encode writes the plan as JSON, one entry a line, so that line tools can compare
// and search plans. It streams, and makes no second copy of the plan. The id is
// the SHA-256 of the same JSON without whitespace, with an empty id and without
// the outcome; a plan without an ID gets it here.
func (p *Plan) Encode(w io.Writer) error {
	id := p.ID
	if id == "" {
		var err error
		if id, err = p.digest(); err != nil {
			return err
		}
	}
	return p.write(w, id, "\n")
}

// digest computes the plan's ID from its contents.
func (p *Plan) digest() (string, error) {
	h := sha256.New()
	if err := p.write(h, "", ""); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// write writes the fields of Plan in their order, with the given line break after
// fields and entries.
func (p *Plan) write(w io.Writer, id, br string) error {
	e := lines.New(w, br)
	e.Field("{", "version", p.Version)
	e.Field(",", "id", id)
	e.Field(",", "taken_at", p.TakenAt)
	e.Field(",", "config_digest", p.ConfigDigest)
	e.Field(",", "policy_digest", p.PolicyDigest)
	if p.Forecast {
		e.Field(",", "forecast", true)
	}
	if len(p.Narrowed) > 0 {
		e.Field(",", "narrowed", p.Narrowed)
	}
	e.Break()
	e.Field("", "summary", p.Summary)
	if len(p.Refusals) > 0 {
		lines.List(e, "refused", p.Refusals)
	}
	lines.List(e, "steps", p.Steps)
	lines.List(e, "held", p.Held)
	lines.List(e, "violations", p.Violations)
	lines.List(e, "gaps", p.Gaps)
	if len(p.Images) > 0 {
		lines.List(e, "images", p.Images)
	}
	if len(p.FreesByRule) > 0 {
		lines.List(e, "frees_by_rule", p.FreesByRule)
	}
	if p.Outcome != nil && id != "" {
		e.Break()
		e.Field("", "outcome", p.Outcome)
	}
	if err := e.Close(); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}
