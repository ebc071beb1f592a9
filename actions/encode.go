package actions

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// Encode writes the plan as JSON, one entry a line, so that plans can be
// compared and searched with line tools. It streams: no second copy of the plan
// is made. The id is the SHA-256 of the same JSON without whitespace and with an
// empty id and no outcome; a plan without an ID gets it here.
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

// write writes the fields of Plan in their order, with a line break of the
// caller's after each field and entry.
func (p *Plan) write(w io.Writer, id, br string) error {
	e := &encoder{w: bufio.NewWriterSize(w, 1<<16), br: br}
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false) // a plan is no web page, and reasons hold < and >
	e.field("{", "version", p.Version)
	e.field(",", "id", id)
	e.field(",", "taken_at", p.TakenAt)
	e.field(",", "config_digest", p.ConfigDigest)
	e.field(",", "policy_digest", p.PolicyDigest)
	if p.Forecast {
		e.field(",", "forecast", true)
	}
	e.text("," + br)
	e.field("", "summary", p.Summary)
	if len(p.Refusals) > 0 {
		list(e, "refused", p.Refusals)
	}
	list(e, "steps", p.Steps)
	list(e, "held", p.Held)
	list(e, "violations", p.Violations)
	list(e, "gaps", p.Gaps)
	if len(p.Images) > 0 {
		list(e, "images", p.Images)
	}
	if p.Outcome != nil && id != "" {
		e.text("," + br)
		e.field("", "outcome", p.Outcome)
	}
	e.text("}" + br)
	if e.err != nil {
		return fmt.Errorf("writing the plan: %w", e.err)
	}
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// encoder writes JSON piece by piece and remembers the first error.
type encoder struct {
	w    *bufio.Writer
	br   string
	buf  bytes.Buffer
	json *json.Encoder // into buf
	err  error
}

func (e *encoder) text(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *encoder) value(v any) {
	if e.err != nil {
		return
	}
	e.buf.Reset()
	if e.err = e.json.Encode(v); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")))
	}
}

func (e *encoder) field(before, name string, v any) {
	e.text(before + `"` + name + `":`)
	e.value(v)
}

func list[T any](e *encoder, name string, entries []T) {
	e.text("," + e.br + `"` + name + `":[`)
	for i := range entries {
		if i > 0 {
			e.text(",")
		}
		e.text(e.br)
		e.value(&entries[i])
	}
	if len(entries) > 0 {
		e.text(e.br)
	}
	e.text("]")
}
