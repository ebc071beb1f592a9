package scanner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// decode makes an item of a record, with the checks that a scan makes.
func (i *Inventory) decode(kind string, line []byte) (Item, error) {
	switch kind {
	case typeNamespace:
		return decodeAs(line, i.namespace)
	case typeImage:
		return decodeAs(line, i.image)
	case typeListed:
		return decodeAs(line, i.listed)
	case typeSkipped:
		return decodeAs(line, toSkipped)
	case typeUse:
		return decodeAs(line, toUse)
	case typeGap:
		return decodeAs(line, toGap)
	}
	return Item{}, fmt.Errorf("unknown type of record %q: was the inventory written by a newer version?", kind)
}

func decodeAs[R any](line []byte, item func(*R) (Item, error)) (Item, error) {
	var record R
	if err := strict(line, &record); err != nil {
		return Item{}, err
	}
	return item(&record)
}

func (i *Inventory) namespace(r *namespaceRecord) (Item, error) {
	key := namespaceKey{r.Region, r.ID}
	if err := errors.Join(
		need("region", r.Region), need("name", r.Name), need("id", r.ID), needReady(r.Status),
		needTime("created_at", r.CreatedAt), needTime("updated_at", r.UpdatedAt),
	); err != nil {
		return Item{}, fmt.Errorf("namespace %q: %w", r.Name, err)
	}
	if i.namespaces[key] != nil {
		return Item{}, fmt.Errorf("namespace %q comes twice", r.Name)
	}
	n := &registry.Namespace{
		ID: r.ID, Name: r.Name, Region: r.Region, ProjectID: r.ProjectID, OrganizationID: r.OrganizationID,
		Description: r.Description, Status: r.Status, IsPublic: r.IsPublic, SizeBytes: r.SizeBytes,
		ImageCount: r.ImageCount, CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
	}
	i.namespaces[key] = n
	return Item{Namespace: n}, nil
}

func (i *Inventory) image(r *imageRecord) (Item, error) {
	if err := errors.Join(
		need("name", r.Name), need("id", r.ID), need("visibility", r.Visibility), needReady(r.Status),
		needTime("created_at", r.CreatedAt), needTime("updated_at", r.UpdatedAt),
	); err != nil {
		return Item{}, fmt.Errorf("image %q: %w", r.Name, err)
	}
	n := i.namespaces[namespaceKey{r.Region, r.NamespaceID}]
	if n == nil || n.Name != r.Namespace {
		return Item{}, fmt.Errorf("image %q comes without its namespace %q before it", r.Name, r.Namespace)
	}
	key := namespaceKey{r.Region, r.ID}
	if i.images[key] {
		return Item{}, fmt.Errorf("image %q comes twice", r.Name)
	}
	i.images[key] = true
	image := &registry.Image{
		Namespace: n, NamespaceID: r.NamespaceID, ID: r.ID, Name: r.Name, Status: r.Status, Visibility: r.Visibility,
		SizeBytes: r.SizeBytes, TagNames: r.TagNames, CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
	}
	tags := make([]registry.Tag, len(r.Tags))
	for at, t := range r.Tags {
		if err := checkTag(&t); err != nil {
			return Item{}, fmt.Errorf("image %q: tag %q: %w", r.Name, t.Name, err)
		}
		tags[at] = registry.Tag{
			ID: t.ID, Name: t.Name, Digest: t.Digest, Status: t.Status,
			CreatedAt: instant(t.CreatedAt), UpdatedAt: instant(t.UpdatedAt),
		}
	}
	if err := complete(image, tags); err != nil {
		return Item{}, fmt.Errorf("image %q: %w", r.Name, err)
	}
	return Item{Image: image}, nil
}

func (i *Inventory) listed(r *listedRecord) (Item, error) {
	n := i.namespaces[namespaceKey{r.Region, r.NamespaceID}]
	if n == nil {
		return Item{}, fmt.Errorf("namespace %s is listed without its record before it", r.NamespaceID)
	}
	return Item{Listed: &Listed{Namespace: n, Empty: r.Empty}}, nil
}

func toSkipped(r *skippedRecord) (Item, error) {
	return Item{Skipped: &Skipped{
		Ref:    registry.Ref{Region: r.Region, Namespace: r.Namespace, Image: r.Image},
		Status: r.Status, ProjectID: r.ProjectID, OrganizationID: r.OrganizationID,
	}}, errors.Join(need("region", r.Region), need("namespace", r.Namespace))
}

func toUse(r *useRecord) (Item, error) {
	return Item{Use: &registry.Use{
		Ref:    registry.Ref{Region: r.Region, Namespace: r.Namespace, Image: r.Image, Tag: r.Tag},
		Digest: r.Digest, By: r.By,
	}}, nil
}

// toGap refuses a gap whose reach it does not know: it could hold more than this
// version can tell.
func toGap(r *gapRecord) (Item, error) {
	known := []registry.Holds{registry.HoldsItself, registry.HoldsNamespaces, registry.HoldsAll, registry.HoldsNothing}
	if !slices.Contains(known, r.Holds) {
		return Item{}, fmt.Errorf("gap %q blinds %q: want one of %v", r.Subject, r.Holds, known)
	}
	return Item{Gap: &r.Gap}, need("subject", r.Subject)
}

func checkTag(t *tagRecord) error {
	if t.Name == "" || t.ID == "" || t.CreatedAt.IsZero() || t.UpdatedAt.IsZero() {
		return errors.Join(need("name", t.Name), need("id", t.ID),
			needTime("created_at", t.CreatedAt), needTime("updated_at", t.UpdatedAt))
	}
	if t.Status == registry.StatusReady && t.Digest == "" {
		return errors.New("it is ready, but has no digest")
	}
	return nil
}

func need[T ~string](field string, value T) error {
	if value == "" {
		return fmt.Errorf("no %s", field)
	}
	return nil
}

func needTime(field string, value time.Time) error {
	if value.IsZero() {
		return fmt.Errorf("no %s", field)
	}
	return nil
}

func needReady(status registry.Status) error {
	if status != registry.StatusReady {
		return fmt.Errorf("status %q, where only ready ones are recorded", status)
	}
	return nil
}
