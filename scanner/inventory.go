package scanner

import (
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// inventoryVersion is the version of the file format, which is JSON Lines: a header, one
// record for each item, and a closing count without which a file is truncated.
// Every record names its type first.
const inventoryVersion = 1

// Header records when and of what an inventory was taken.
type Header struct {
	TakenAt time.Time `json:"taken_at"`
	Scope   Scope     `json:"scope"`
	// Sources are the use sources that the scan read, such as "serverless". What
	// others use is not known.
	Sources []string `json:"asked,omitempty"`
}

// The types of records.
const (
	typeHeader    = "inventory"
	typeNamespace = "namespace"
	typeImage     = "image"
	typeListed    = "listed"
	typeSkipped   = "skipped"
	typeUse       = "use"
	typeGap       = "gap"
	typeEnd       = "end"
)

type headerRecord struct {
	Type    string `json:"type"`
	Version int    `json:"version"`
	Header
}

type namespaceRecord struct {
	Type string `json:"type"`
	registry.Namespace
}

type imageRecord struct {
	Type      string          `json:"type"`
	Region    registry.Region `json:"region"`
	Namespace string          `json:"namespace"`
	registry.Image
}

type listedRecord struct {
	Type        string          `json:"type"`
	Region      registry.Region `json:"region"`
	NamespaceID string          `json:"namespace_id"`
	Empty       bool            `json:"empty"`
}

type skippedRecord struct {
	Type           string          `json:"type"`
	Region         registry.Region `json:"region"`
	Namespace      string          `json:"namespace"`
	Image          string          `json:"image,omitempty"`
	Status         registry.Status `json:"status"`
	ProjectID      string          `json:"project_id"`
	OrganizationID string          `json:"organization_id"`
}

type useRecord struct {
	Type      string          `json:"type"`
	Region    registry.Region `json:"region"`
	Namespace string          `json:"namespace"`
	Image     string          `json:"image"`
	Tag       string          `json:"tag,omitempty"`
	Digest    string          `json:"digest,omitempty"`
	By        string          `json:"by"`
}

type gapRecord struct {
	Type string `json:"type"`
	registry.Gap
}

type endRecord struct {
	Type string `json:"type"`
	counts
}

// counts closes an inventory: how many records of each type there are.
type counts struct {
	Namespaces int `json:"namespaces"`
	Images     int `json:"images"`
	Tags       int `json:"tags"`
	Listed     int `json:"listed"`
	Skipped    int `json:"skipped"`
	Uses       int `json:"uses"`
	Gaps       int `json:"gaps"`
}

// add counts an item.
func (c *counts) add(item Item) error {
	fields := 0
	count := func(set bool, n *int) {
		if set {
			fields++
			*n++
		}
	}
	count(item.Namespace != nil, &c.Namespaces)
	count(item.Image != nil, &c.Images)
	count(item.Listed != nil, &c.Listed)
	count(item.Skipped != nil, &c.Skipped)
	count(item.Use != nil, &c.Uses)
	count(item.Gap != nil, &c.Gaps)
	if item.Image != nil {
		c.Tags += len(item.Image.Tags)
	}
	if fields != 1 {
		return fmt.Errorf("an item has %d fields set instead of one", fields)
	}
	return nil
}

// objectKey identifies a namespace or an image within one inventory.
type objectKey struct {
	region registry.Region
	id     string
}

// namespaceInUTC and imageInUTC return copies whose times are as inventories hold them: to the
// nanosecond, in UTC.
func namespaceInUTC(n registry.Namespace) registry.Namespace {
	n.CreatedAt, n.UpdatedAt = instant(n.CreatedAt), instant(n.UpdatedAt)
	return n
}

func imageInUTC(i registry.Image) registry.Image {
	i.CreatedAt, i.UpdatedAt = instant(i.CreatedAt), instant(i.UpdatedAt)
	tags := make([]registry.Tag, len(i.Tags))
	for at, t := range i.Tags {
		t.CreatedAt, t.UpdatedAt = instant(t.CreatedAt), instant(t.UpdatedAt)
		tags[at] = t
	}
	i.Tags = tags
	return i
}

func instant(t time.Time) time.Time { return t.Round(0).UTC() }
