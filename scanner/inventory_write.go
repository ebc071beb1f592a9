package scanner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/registry"
)

// InventoryWriter writes the items of a stream to a file. Use it from one goroutine
// at a time.
type InventoryWriter struct {
	buffer  *bufio.Writer
	lines   *json.Encoder
	counts  counts
	written map[objectKey]bool // namespaces
	closed  bool
}

// NewInventoryWriter begins an inventory on w.
func NewInventoryWriter(w io.Writer, h Header) (*InventoryWriter, error) {
	if h.TakenAt.IsZero() {
		return nil, errors.New("write inventory: taken_at is missing")
	}
	if err := h.Scope.Validate(); err != nil {
		return nil, fmt.Errorf("write inventory: %w", err)
	}
	buffer := bufio.NewWriterSize(w, 64<<10)
	i := &InventoryWriter{buffer: buffer, lines: json.NewEncoder(buffer), written: map[objectKey]bool{}}
	i.lines.SetEscapeHTML(false)
	h.TakenAt = instant(h.TakenAt)
	if err := i.lines.Encode(headerRecord{typeHeader, inventoryVersion, h}); err != nil {
		return nil, fmt.Errorf("write inventory: %w", err)
	}
	return i, nil
}

// Write adds one item. An image must come after its namespace, as it does in every
// Stream.
func (i *InventoryWriter) Write(item Item) error {
	if i.closed {
		return errors.New("write inventory: it is closed")
	}
	if err := i.counts.add(item); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	record, err := i.record(item)
	if err == nil {
		err = i.lines.Encode(record)
	}
	if err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

// Close writes the closing count, without which the file counts as truncated. It
// does not close the writer below.
func (i *InventoryWriter) Close() error {
	if i.closed {
		return nil
	}
	i.closed = true
	err := i.lines.Encode(endRecord{typeEnd, i.counts})
	if err == nil {
		err = i.buffer.Flush()
	}
	if err != nil {
		return fmt.Errorf("close inventory: %w", err)
	}
	return nil
}

func (i *InventoryWriter) record(item Item) (any, error) {
	switch {
	case item.Namespace != nil:
		i.written[objectKey{item.Namespace.Region, item.Namespace.ID}] = true
		return namespaceRecord{typeNamespace, namespaceInUTC(*item.Namespace)}, nil
	case item.Image != nil:
		n, image := item.Image.Namespace, imageInUTC(*item.Image)
		image.TagNames = append([]string{}, image.TagNames...)
		return imageRecord{typeImage, n.Region, n.Name, image}, i.checkWritten(n)
	case item.Listed != nil:
		n := item.Listed.Namespace
		return listedRecord{typeListed, n.Region, n.ID, item.Listed.Empty}, i.checkWritten(n)
	case item.Skipped != nil:
		s := item.Skipped
		return skippedRecord{typeSkipped, s.Ref.Region, s.Ref.Namespace, s.Ref.Image, s.Status, s.ProjectID, s.OrganizationID}, nil
	case item.Use != nil:
		u := item.Use
		return useRecord{typeUse, u.Ref.Region, u.Ref.Namespace, u.Ref.Image, u.Ref.Tag, u.Digest, u.By}, nil
	default:
		return gapRecord{typeGap, *item.Gap}, nil
	}
}

func (i *InventoryWriter) checkWritten(n *registry.Namespace) error {
	if !i.written[objectKey{n.Region, n.ID}] {
		return fmt.Errorf("something in namespace %s comes before the namespace", n.Ref())
	}
	return nil
}
