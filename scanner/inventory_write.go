package scanner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// InventoryWriter writes the items of a stream to a file. It is for one
// goroutine at a time.
type InventoryWriter struct {
	buffer *bufio.Writer
	lines  *json.Encoder
	counts counts
	known  map[namespaceKey]bool
	closed bool
}

// NewInventoryWriter begins an inventory on w.
func NewInventoryWriter(w io.Writer, h Header) (*InventoryWriter, error) {
	if h.TakenAt.IsZero() {
		return nil, errors.New("write inventory: it was taken at no time")
	}
	if err := h.Scope.Validate(); err != nil {
		return nil, fmt.Errorf("write inventory: %w", err)
	}
	buffer := bufio.NewWriterSize(w, 64<<10)
	i := &InventoryWriter{buffer: buffer, lines: json.NewEncoder(buffer), known: map[namespaceKey]bool{}}
	i.lines.SetEscapeHTML(false)
	err := i.lines.Encode(headerRecord{
		Type: typeHeader, Version: inventoryVersion, TakenAt: instant(h.TakenAt), Scope: scopeRecord(h.Scope), Asked: h.Asked,
	})
	if err != nil {
		return nil, fmt.Errorf("write inventory: %w", err)
	}
	return i, nil
}

// Write adds one item. An image must come after its namespace, as it does in
// every Stream.
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

// Close writes the closing count, without which the file would be a truncated
// one. It does not close the writer below.
func (i *InventoryWriter) Close() error {
	if i.closed {
		return nil
	}
	i.closed = true
	err := i.lines.Encode(endRecord{Type: typeEnd, counts: i.counts})
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
		i.known[namespaceKey{item.Namespace.Region, item.Namespace.ID}] = true
		return fromNamespace(item.Namespace), nil
	case item.Image != nil:
		return fromImage(item.Image), i.mustKnow(item.Image.Namespace)
	case item.Listed != nil:
		n := item.Listed.Namespace
		return listedRecord{typeListed, n.Region, n.ID, item.Listed.Empty}, i.mustKnow(n)
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

func (i *InventoryWriter) mustKnow(n *registry.Namespace) error {
	if !i.known[namespaceKey{n.Region, n.ID}] {
		return fmt.Errorf("something of namespace %s comes before the namespace", n.Ref())
	}
	return nil
}

func fromNamespace(n *registry.Namespace) namespaceRecord {
	return namespaceRecord{
		Type: typeNamespace, Region: n.Region, Name: n.Name, ID: n.ID,
		ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, Description: n.Description,
		Status: n.Status, IsPublic: n.IsPublic, SizeBytes: n.SizeBytes, ImageCount: n.ImageCount,
		CreatedAt: instant(n.CreatedAt), UpdatedAt: instant(n.UpdatedAt),
	}
}

func fromImage(image *registry.Image) imageRecord {
	tags := make([]tagRecord, len(image.Tags))
	for i, t := range image.Tags {
		tags[i] = tagRecord{t.Name, t.ID, t.Digest, t.Status, instant(t.CreatedAt), instant(t.UpdatedAt)}
	}
	return imageRecord{
		Type: typeImage, Region: image.Namespace.Region, Namespace: image.Namespace.Name, NamespaceID: image.NamespaceID,
		Name: image.Name, ID: image.ID, Status: image.Status, Visibility: image.Visibility, SizeBytes: image.SizeBytes,
		CreatedAt: instant(image.CreatedAt), UpdatedAt: instant(image.UpdatedAt),
		TagNames: append([]string{}, image.TagNames...), Tags: tags,
	}
}

// instant is a time as inventories hold it: to the nanosecond, in UTC.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }
