package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// page is the metadata of a list.
type page struct {
	Continue  string `json:"continue"`
	Remaining int64  `json:"remainingItemCount"`
}

// readPage reads a list from r, one object at a time. After an error the list is
// incomplete, although some objects were added.
func readPage(r io.Reader, kind string, most int64, add func(*object) error) (page, error) {
	m := &meter{from: r, most: most}
	m.reset()
	d := json.NewDecoder(m)
	p := reading{decoder: d, meter: m, kind: kind, add: add}
	if err := p.list(); err != nil {
		return page{}, cutShort(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return page{}, errors.New("unexpected data follows the list")
	}
	switch {
	case !p.listed:
		return page{}, errors.New("it has no items, so it is not a list")
	case !p.typed:
		return page{}, fmt.Errorf("its kind is missing: want a list of %s", kind)
	case p.page.Continue == "" && p.page.Remaining > 0:
		return page{}, fmt.Errorf("%d more objects follow, but it has no continue token", p.page.Remaining)
	}
	return p.page, nil
}

// reading is the state of reading a page.
type reading struct {
	decoder *json.Decoder
	meter   *meter
	kind    string
	add     func(*object) error

	page          page
	listed, typed bool
}

// list reads the list itself.
func (p *reading) list() error {
	opened, err := p.decoder.Token()
	if err != nil {
		return err
	}
	if opened != json.Delim('{') {
		return errors.New("it is not a list")
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
	_, err = p.decoder.Token()
	return err
}

// readKind checks what kind of list it is.
func (p *reading) readKind() error {
	var kind string
	if err := p.decoder.Decode(&kind); err != nil {
		return err
	}
	if kind != p.kind+"List" && kind != "List" {
		return fmt.Errorf("it is a %q, not a list of %s", text.Clip(kind, 60), p.kind)
	}
	p.typed = true
	return nil
}

// items reads the objects. Without any, the list may be null.
func (p *reading) items() error {
	if p.listed {
		return errors.New("it has two lists of items")
	}
	p.listed = true
	opened, err := p.decoder.Token()
	if err != nil || opened == nil {
		return err
	}
	if opened != json.Delim('[') {
		return errors.New("its items are not a list")
	}
	for at := 0; p.decoder.More(); at++ {
		p.meter.reset()
		var o object
		if err := p.decoder.Decode(&o); err != nil {
			return fmt.Errorf("object %d: %w", at, err)
		}
		if err := p.add(&o); err != nil {
			return fmt.Errorf("object %d: %w", at, err)
		}
	}
	_, err = p.decoder.Token()
	return err
}

// errCut is an answer without its end.
var errCut = errors.New("the answer is cut short")

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// meter refuses an object that is too large before it fills the memory.
type meter struct {
	from       io.Reader
	most, left int64
}

func (m *meter) reset() { m.left = m.most }

// Read reads at most what the current object may still have.
func (m *meter) Read(into []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("it is larger than %d MiB", m.most>>20)
	}
	n, err := m.from.Read(into[:min(int64(len(into)), m.left)])
	m.left -= int64(n)
	return n, err
}
