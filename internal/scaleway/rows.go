package scaleway

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"

	"github.com/registry-janitor/registry-janitor/registry"
)

// toNamespace checks and translates one row of a namespace listing.
func toNamespace(row *sdk.Namespace, q registry.Query) (registry.Namespace, error) {
	if err := checkRow(row.ID, row.Name, row.CreatedAt, row.UpdatedAt); err != nil {
		return registry.Namespace{}, err
	}
	if err := cmp.Or(
		belongs("region", string(row.Region), string(q.Region)),
		belongs("project", row.ProjectID, q.ProjectID),
		belongs("organization", row.OrganizationID, q.OrganizationID),
	); err != nil {
		return registry.Namespace{}, fmt.Errorf("namespace %s: %w", row.ID, err)
	}
	return registry.Namespace{
		ID:             row.ID,
		Name:           row.Name,
		Region:         registry.Region(row.Region),
		ProjectID:      row.ProjectID,
		OrganizationID: row.OrganizationID,
		Description:    row.Description,
		Status:         registry.Status(row.Status),
		IsPublic:       row.IsPublic,
		SizeBytes:      uint64(row.Size),
		ImageCount:     uint64(row.ImageCount),
		CreatedAt:      row.CreatedAt.UTC(),
		UpdatedAt:      row.UpdatedAt.UTC(),
	}, nil
}

// toImage checks and translates one row of an image listing.
func toImage(row *sdk.Image, q registry.Query) (registry.Image, error) {
	if err := checkRow(row.ID, row.Name, row.CreatedAt, row.UpdatedAt); err != nil {
		return registry.Image{}, err
	}
	if _, err := parseUUID(row.NamespaceID); err != nil {
		return registry.Image{}, fmt.Errorf("image %s: its namespace_id %w", row.ID, err)
	}
	if err := belongs("namespace", row.NamespaceID, q.NamespaceID); err != nil {
		return registry.Image{}, fmt.Errorf("image %s: %w", row.ID, err)
	}
	return registry.Image{
		NamespaceID: row.NamespaceID,
		ID:          row.ID,
		Name:        row.Name,
		Status:      registry.Status(row.Status),
		Visibility:  registry.Visibility(row.Visibility),
		SizeBytes:   uint64(row.Size),
		TagNames:    row.Tags,
		CreatedAt:   row.CreatedAt.UTC(),
		UpdatedAt:   row.UpdatedAt.UTC(),
	}, nil
}

// wireTag is a row of a tag listing, by far the most frequent one: it takes half the time
// of the SDK's, whose status has its own decoder.
type wireTag struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	ImageID   string          `json:"image_id"`
	Status    registry.Status `json:"status"`
	Digest    string          `json:"digest"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// tag checks and translates the row. It refuses a ready tag without a digest, because
// the tags that share its digest would be unknown.
func (row *wireTag) tag(imageID string) (registry.Tag, error) {
	if err := checkRow(row.ID, row.Name, &row.CreatedAt, &row.UpdatedAt); err != nil {
		return registry.Tag{}, err
	}
	if err := belongs("image", row.ImageID, imageID); err != nil {
		return registry.Tag{}, fmt.Errorf("tag %s: %w", row.ID, err)
	}
	if row.Digest == "" && row.Status == registry.StatusReady {
		return registry.Tag{}, fmt.Errorf("tag %s is ready, but has no digest", row.ID)
	}
	return registry.Tag{
		ID:        row.ID,
		Name:      row.Name,
		Digest:    row.Digest,
		Status:    cmp.Or(row.Status, registry.Status(sdk.TagStatusUnknown)),
		CreatedAt: row.CreatedAt.UTC(),
		UpdatedAt: row.UpdatedAt.UTC(),
	}, nil
}

// toTag checks and translates a tag that was read alone.
func toTag(tag *sdk.Tag, imageID string) (registry.Tag, error) {
	row := wireTag{ID: tag.ID, Name: tag.Name, ImageID: tag.ImageID, Status: registry.Status(tag.Status), Digest: tag.Digest}
	if tag.CreatedAt != nil {
		row.CreatedAt = *tag.CreatedAt
	}
	if tag.UpdatedAt != nil {
		row.UpdatedAt = *tag.UpdatedAt
	}
	return row.tag(imageID)
}

// checkRow checks what every row must have.
func checkRow(id, name string, created, updated *time.Time) error {
	if _, err := parseUUID(id); err != nil {
		return fmt.Errorf("the id of a row %w", err)
	}
	switch {
	case name == "":
		return fmt.Errorf("row %s has no name", id)
	case created == nil || created.IsZero():
		return fmt.Errorf("row %s has no created_at", id)
	case updated == nil || updated.IsZero():
		return fmt.Errorf("row %s has no updated_at", id)
	}
	return nil
}

// belongs refuses a row that the filter of the request should have excluded. Without
// a filter nothing is checked.
func belongs(what, got, want string) error {
	if want == "" || strings.EqualFold(got, want) {
		return nil
	}
	return fmt.Errorf("%w: the request was for %s %s, but the row belongs to %q", registry.ErrMismatch, what, want, got)
}

// parseUUID reads an ID in the form that the API writes. Nothing else may enter a
// path, because the SDK inserts IDs unescaped.
func parseUUID(s string) (uuid.UUID, error) {
	const length = 36 // Parse reads other forms too
	id, err := uuid.Parse(s)
	if err != nil || len(s) != length {
		return id, fmt.Errorf("is not a UUID: %q", s)
	}
	return id, nil
}
