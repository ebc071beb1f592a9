package scanner

import (
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// inventoryVersion is that of the file format, which is JSON Lines: a header,
// one record for each item, and a closing count without which a file is
// truncated. Every record names its type first.
const inventoryVersion = 1

// Header says when and of what an inventory was taken.
type Header struct {
	TakenAt time.Time
	Scope   Scope
	// Asked says whom the inventory asked what is in use, such as "serverless". A use
	// of anybody else is not known not to be.
	Asked []string
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
	Type    string      `json:"type"`
	Version int         `json:"version"`
	TakenAt time.Time   `json:"taken_at"`
	Scope   scopeRecord `json:"scope"`
	Asked   []string    `json:"asked,omitempty"`
}

type scopeRecord struct {
	Regions        []registry.Region `json:"regions,omitempty"`
	ProjectIDs     []string          `json:"project_ids,omitempty"`
	OrganizationID string            `json:"organization_id,omitempty"`
	Include        []string          `json:"include,omitempty"`
	Exclude        []string          `json:"exclude,omitempty"`
}

type namespaceRecord struct {
	Type           string          `json:"type"`
	Region         registry.Region `json:"region"`
	Name           string          `json:"name"`
	ID             string          `json:"id"`
	ProjectID      string          `json:"project_id"`
	OrganizationID string          `json:"organization_id"`
	Description    string          `json:"description"`
	Status         registry.Status `json:"status"`
	IsPublic       bool            `json:"is_public"`
	SizeBytes      uint64          `json:"size_bytes"`
	ImageCount     uint64          `json:"image_count"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
}

type imageRecord struct {
	Type        string              `json:"type"`
	Region      registry.Region     `json:"region"`
	Namespace   string              `json:"namespace"`
	NamespaceID string              `json:"namespace_id"`
	Name        string              `json:"name"`
	ID          string              `json:"id"`
	Status      registry.Status     `json:"status"`
	Visibility  registry.Visibility `json:"visibility"`
	SizeBytes   uint64              `json:"size_bytes"`
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	TagNames    []string            `json:"tag_names"`
	Tags        []tagRecord         `json:"tags"`
}

type tagRecord struct {
	Name      string          `json:"name"`
	ID        string          `json:"id"`
	Digest    string          `json:"digest"`
	Status    registry.Status `json:"status"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
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

type endRecord struct {
	Type string `json:"type"`
	counts
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

// namespaceKey is what namespaces are known by within one inventory.
type namespaceKey struct {
	region registry.Region
	id     string
}
