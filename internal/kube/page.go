package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// page is what a list says beside its objects.
type page struct {
	Continue  string `json:"continue"`
	Remaining int64  `json:"remainingItemCount"`
}

// readPage reads a list from r, one object at a time. What was taken before an
// error is no page.
func readPage(r io.Reader, kind string, most int64, take func(*object) error) (page, error) {
	m := &meter{from: r, most: most}
	m.reset()
	d := json.NewDecoder(m)
	p := reading{decoder: d, meter: m, kind: kind, take: take}
	if err := p.mapping(); err != nil {
		return page{}, cutShort(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return page{}, errors.New("something follows the list")
	}
	switch {
	case !p.listed:
		return page{}, fmt.Errorf("it has no items, so it is no list")
	case !p.typed:
		return page{}, fmt.Errorf("it does not say that it is a list of %s", kind)
	case p.page.Continue == "" && p.page.Remaining > 0:
		return page{}, fmt.Errorf("%d more objects follow, and it does not say where", p.page.Remaining)
	}
	return p.page, nil
}

// reading is a page as far as it was read.
type reading struct {
	decoder *json.Decoder
	meter   *meter
	kind    string
	take    func(*object) error

	page          page
	listed, typed bool
}

// mapping reads the list itself.
func (p *reading) mapping() error {
	if err := p.open('{', "a list"); err != nil {
		return err
	}
	for p.decoder.More() {
		key, err := p.decoder.Token()
		if err != nil {
			return err
		}
		switch key {
		case "kind":
			err = p.readKind()
		case "metadata":
			err = p.decoder.Decode(&p.page)
		case "items":
			err = p.items()
		default:
			var skipped json.RawMessage
			err = p.decoder.Decode(&skipped)
		}
		if err != nil {
			return err
		}
		p.meter.reset()
	}
	_, err := p.decoder.Token()
	return err
}

// readKind checks what the list is of.
func (p *reading) readKind() error {
	var kind string
	if err := p.decoder.Decode(&kind); err != nil {
		return err
	}
	if kind != p.kind+"List" && kind != "List" {
		return fmt.Errorf("it is a %q, not a list of %s", clip(kind), p.kind)
	}
	p.typed = true
	return nil
}

// items reads the objects. A list of none may be null.
func (p *reading) items() error {
	if p.listed {
		return errors.New("it has its items twice")
	}
	p.listed = true
	opened, err := p.decoder.Token()
	if err != nil || opened == nil {
		return err
	}
	if opened != json.Delim('[') {
		return errors.New("its items are no list")
	}
	for at := 0; p.decoder.More(); at++ {
		p.meter.reset()
		var o object
		if err := p.decoder.Decode(&o); err != nil {
			return fmt.Errorf("object %d: %w", at, err)
		}
		if err := p.take(&o); err != nil {
			return fmt.Errorf("object %d: %w", at, err)
		}
	}
	_, err = p.decoder.Token()
	return err
}

// open reads the beginning of something.
func (p *reading) open(delim json.Delim, what string) error {
	opened, err := p.decoder.Token()
	if err != nil {
		return err
	}
	if opened != delim {
		return fmt.Errorf("it is not %s", what)
	}
	return nil
}

// errCut is an answer that ends in its middle.
var errCut = errors.New("the answer is cut short")

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// meter refuses an object that is larger than any can be, before it fills the
// memory.
type meter struct {
	from       io.Reader
	most, left int64
}

func (m *meter) reset() { m.left = m.most }

// Read reads what is left for the object at hand.
func (m *meter) Read(into []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("it is larger than %d MiB", m.most>>20)
	}
	n, err := m.from.Read(into[:min(int64(len(into)), m.left)])
	m.left -= int64(n)
	return n, err
}

// clip shortens a word of the cluster.
func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}
