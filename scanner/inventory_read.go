package scanner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/registry"
)

// maxLine bounds one record: an image with about two million tags.
const maxLine = 512 << 20

// Inventory is a scan read back from a file: its header at once, its items as
// they are asked for.
type Inventory struct {
	Header Header

	lines *bufio.Reader
	line  int // the number of the last one read
	long  []byte

	namespaces map[namespaceKey]*registry.Namespace
	images     map[namespaceKey]bool
	counts     counts
	narrow     *narrower // nil: all of it
}

// ReadInventory reads the header of an inventory. Whether the rest is whole
// shows when the stream ends.
func ReadInventory(r io.Reader) (*Inventory, error) {
	i := &Inventory{
		lines:      bufio.NewReaderSize(r, 256<<10),
		namespaces: map[namespaceKey]*registry.Namespace{},
		images:     map[namespaceKey]bool{},
	}
	header, err := i.readHeader()
	if err != nil {
		return nil, i.at(err)
	}
	i.Header = header
	return i, nil
}

// Stream delivers the items, just as the scan did that was written down. It can
// be taken once. Err reports everything that is wrong with the file, with its
// line: a truncated one only shows at its end.
func (i *Inventory) Stream(ctx context.Context) *Stream {
	stream := &Stream{items: make(chan Item, 16)}
	go func() {
		defer close(stream.items)
		stream.err = i.deliver(ctx, stream.items)
	}()
	return stream
}

// deliver reads to the closing record and past it.
func (i *Inventory) deliver(ctx context.Context, out chan<- Item) error {
	for {
		item, more, err := i.next()
		if err != nil {
			return i.at(err)
		}
		if !more {
			return ended(ctx)
		}
		for _, item := range i.narrow.pass(item) {
			select {
			case out <- item:
			case <-ctx.Done():
				return ended(ctx)
			}
		}
	}
}

// next reads one item, or the end.
func (i *Inventory) next() (item Item, more bool, err error) {
	line, err := i.readLine()
	if errors.Is(err, io.EOF) {
		return Item{}, false, errors.New("the closing record is missing: the inventory is truncated; take the scan again")
	}
	if err != nil {
		return Item{}, false, err
	}
	kind, err := typeOf(line)
	if err != nil {
		return Item{}, false, err
	}
	if kind == typeEnd {
		return Item{}, false, i.finish(line)
	}
	item, err = i.decode(kind, line)
	if err == nil {
		err = i.counts.add(item)
	}
	return item, true, err
}

// finish compares the closing count, and insists that nothing follows.
func (i *Inventory) finish(line []byte) error {
	var end endRecord
	if err := strict(line, &end); err != nil {
		return err
	}
	if end.counts != i.counts {
		return fmt.Errorf("the closing record counts %+v, but the inventory holds %+v: it was changed or lost records; take the scan again", end.counts, i.counts)
	}
	if _, err := i.readLine(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the closing record")
	}
	return nil
}

func (i *Inventory) readHeader() (Header, error) {
	line, err := i.readLine()
	if errors.Is(err, io.EOF) {
		return Header{}, errors.New("the inventory is empty")
	}
	if err != nil {
		return Header{}, err
	}
	kind, err := typeOf(line)
	if err != nil {
		return Header{}, err
	}
	if kind != typeHeader {
		return Header{}, fmt.Errorf("want the header of an inventory, not a record of type %q", kind)
	}
	var record headerRecord
	if err := strict(line, &record); err != nil {
		return Header{}, err
	}
	h := Header{TakenAt: instant(record.TakenAt), Scope: Scope(record.Scope), Asked: record.Asked}
	switch {
	case record.Version != inventoryVersion:
		return Header{}, fmt.Errorf("the inventory has version %d, this program reads version %d", record.Version, inventoryVersion)
	case h.TakenAt.IsZero():
		return Header{}, errors.New("the header has no taken_at")
	}
	return h, h.Scope.Validate()
}

// readLine reads a whole line, which is valid until the next call.
func (i *Inventory) readLine() ([]byte, error) {
	line, err := i.lines.ReadSlice('\n')
	if len(line) > 0 {
		i.line++
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		i.long = i.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) && len(i.long) < maxLine {
			i.long = append(i.long, line...)
			line, err = i.lines.ReadSlice('\n')
		}
		i.long = append(i.long, line...)
		line = i.long
	}
	switch {
	case err == nil:
		return bytes.TrimSuffix(line, []byte("\n")), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("the record is longer than %d MiB", maxLine>>20)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return nil, errors.New("the line has no end: the inventory is truncated; take the scan again")
	}
	return nil, err
}

// at says where an error is.
func (i *Inventory) at(err error) error {
	return fmt.Errorf("inventory: line %d: %w", i.line, err)
}

// typeOf reads the type of a record, which the writer puts first.
func typeOf(line []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return string(rest[:end]), nil
		}
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return "", fmt.Errorf("no JSON object: %w", err)
	}
	return head.Type, nil
}

// strict decodes one record, and knows all its fields.
func strict(line []byte, record any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(record); err != nil {
		return fmt.Errorf("bad record: %w", err)
	}
	if decoder.InputOffset() != int64(len(line)) {
		return errors.New("there is more on the line than one record")
	}
	return nil
}
