package actions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The errors of a file that is not the plan that was made.
var (
	// ErrTruncated: the file ends before the plan does.
	ErrTruncated = errors.New("the plan is cut off")
	// ErrEdited: the contents do not match the plan's id.
	ErrEdited = errors.New("the plan was changed after it was made")
)

// Decode reads a plan as Encode writes it, whitespace aside. It is strict: an
// unknown, duplicate or missing field, a wrong type, a contradiction within the
// plan, or anything after it is an error that names the place. The id reveals
// accidents and edits; it is not a signature.
func Decode(r io.Reader) (*Plan, error) {
	d := &decoder{json: json.NewDecoder(r), plan: new(Plan), seen: make(map[string]bool)}
	d.json.DisallowUnknownFields()
	if err := d.object(); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if err := d.plan.Check(); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	return d.plan, nil
}

type decoder struct {
	json *json.Decoder
	plan *Plan
	seen map[string]bool
}

func (d *decoder) object() error {
	if err := d.delim('{', "the file"); err != nil {
		return err
	}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return broken(err)
		}
		name, _ := token.(string) // within an object, a key is always a string
		if d.seen[name] {
			return fmt.Errorf("field %q is a duplicate", name)
		}
		d.seen[name] = true
		if err := d.field(name); err != nil {
			return err
		}
	}
	if err := d.delim('}', "the file"); err != nil {
		return err
	}
	for _, name := range []string{"version", "id", "taken_at", "config_digest", "policy_digest", "summary", "steps", "held", "violations", "gaps"} {
		if !d.seen[name] {
			return fmt.Errorf("field %q is missing", name)
		}
	}
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the end of the plan")
	}
	return nil
}

func (d *decoder) field(name string) error {
	p := d.plan
	switch name {
	case "refused":
		return array(d, &p.Refusals, name)
	case "steps":
		return array(d, &p.Steps, name)
	case "held":
		return array(d, &p.Held, name)
	case "violations":
		return array(d, &p.Violations, name)
	case "gaps":
		return array(d, &p.Gaps, name)
	case "images":
		return array(d, &p.Images, name)
	case "frees_by_rule":
		return array(d, &p.FreesByRule, name)
	case "outcome":
		p.Outcome = new(Outcome)
		return d.value(p.Outcome, name)
	}
	into, known := map[string]any{
		"version": &p.Version, "id": &p.ID, "taken_at": &p.TakenAt, "config_digest": &p.ConfigDigest, "policy_digest": &p.PolicyDigest,
		"forecast": &p.Forecast, "narrowed": &p.Narrowed, "summary": &p.Summary,
	}[name]
	if !known {
		return fmt.Errorf("field %q is unknown", name)
	}
	if err := d.value(into, name); err != nil {
		return err
	}
	if name == "version" && p.Version != Version {
		return fmt.Errorf("version is %d: this program reads version %d", p.Version, Version)
	}
	return nil
}

func (d *decoder) value(into any, where string) error {
	if err := d.json.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", where, broken(err))
	}
	return nil
}

// array reads entry by entry, so that the file is never in memory beside the
// plan.
func array[T any](d *decoder, into *[]T, name string) error {
	if err := d.delim('[', name); err != nil {
		return err
	}
	*into = []T{}
	for d.json.More() {
		var entry T
		if err := d.value(&entry, fmt.Sprintf("%s[%d]", name, len(*into))); err != nil {
			return err
		}
		*into = append(*into, entry)
	}
	return d.delim(']', name)
}

func (d *decoder) delim(want json.Delim, where string) error {
	token, err := d.json.Token()
	if err != nil {
		return fmt.Errorf("%s: %w", where, broken(err))
	}
	if token != want {
		return fmt.Errorf("%s: found %v instead of %q", where, token, want.String())
	}
	return nil
}

// broken distinguishes a file that ends too early from a wrong one.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}
