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

// Inventory is a scan that is read from a file: its header at once, its items as
// they are received.
type Inventory struct {
	Header Header

	lines *bufio.Scanner
	line  int // the number of the last one read

	namespaces map[objectKey]*registry.Namespace
	images     map[objectKey]bool
	counts     counts
	filter     *Filter // nil: everything
}

// ReadInventory reads the header of an inventory. Whether the rest is complete is
// known when the stream ends.
func ReadInventory(r io.Reader) (*Inventory, error) {
	i := &Inventory{
		lines:      bufio.NewScanner(r),
		namespaces: map[objectKey]*registry.Namespace{},
		images:     map[objectKey]bool{},
	}
	i.lines.Buffer(make([]byte, 0, 256<<10), maxLine)
	i.lines.Split(wholeLines)
	if err := i.readHeader(); err != nil {
		return nil, i.at(err)
	}
	return i, nil
}

// Stream delivers the items as the scan did that was recorded. Call it once. Err
// returns what is wrong with the file, with its line: a truncated file is only known
// at its end.
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
		for _, item := range i.filter.Pass(item) {
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
	kind, line, err := i.readLine()
	switch {
	case errors.Is(err, io.EOF):
		return Item{}, false, errors.New("the closing record is missing: the inventory is truncated; take the scan again")
	case err != nil:
		return Item{}, false, err
	case kind == typeEnd:
		return Item{}, false, i.finish(line)
	}
	item, err = i.decode(kind, line)
	if err == nil {
		err = i.counts.add(item)
	}
	return item, true, err
}

// finish compares the closing count, and requires that nothing follows.
func (i *Inventory) finish(line []byte) error {
	var end endRecord
	if err := strict(line, &end); err != nil {
		return err
	}
	if end.counts != i.counts {
		return fmt.Errorf("the closing record counts %+v, but the inventory holds %+v: it was changed or lost records; take the scan again", end.counts, i.counts)
	}
	if _, _, err := i.readLine(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the closing record")
	}
	return nil
}

func (i *Inventory) readHeader() error {
	kind, line, err := i.readLine()
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the inventory is empty")
	case err != nil:
		return err
	case kind != typeHeader:
		return fmt.Errorf("want the header of an inventory, not a record of type %q", kind)
	}
	var record headerRecord
	if err := strict(line, &record); err != nil {
		return err
	}
	i.Header = record.Header
	i.Header.TakenAt = instant(record.TakenAt)
	switch {
	case record.Version != inventoryVersion:
		return fmt.Errorf("the inventory has version %d, this program reads version %d", record.Version, inventoryVersion)
	case record.TakenAt.IsZero():
		return errors.New("the header has no taken_at")
	}
	return record.Scope.Validate()
}

// readLine reads a line and the type of its record. The line is valid until the next
// call; io.EOF is the end of the file.
func (i *Inventory) readLine() (kind string, line []byte, err error) {
	if i.lines.Scan() {
		i.line++
		kind, err = typeOf(i.lines.Bytes())
		return kind, i.lines.Bytes(), err
	}
	switch err := i.lines.Err(); {
	case err == nil:
		return "", nil, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		i.line++
		return "", nil, fmt.Errorf("the record is longer than %d MiB", maxLine>>20)
	case errors.Is(err, errUnterminated):
		i.line++
		return "", nil, err
	default:
		return "", nil, err
	}
}

var errUnterminated = errors.New("the line has no end: the inventory is truncated; take the scan again")

// wholeLines splits at line ends, and fails at a last line without one.
func wholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errUnterminated
	}
	return 0, nil, nil
}

// at adds where an error is.
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
		return "", fmt.Errorf("not a JSON object: %w", err)
	}
	return head.Type, nil
}
