package scanner

import (
	"bytes"
	"encoding/json"
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

// strict decodes one record, and refuses unknown fields.
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

func (i *Inventory) namespace(r *namespaceRecord) (Item, error) {
	n := namespaceInUTC(r.Namespace)
	key := objectKey{n.Region, n.ID}
	if err := errors.Join(
		need("region", n.Region), need("name", n.Name), need("id", n.ID), needReady(n.Status),
		needTime("created_at", n.CreatedAt), needTime("updated_at", n.UpdatedAt),
	); err != nil {
		return Item{}, fmt.Errorf("namespace %q: %w", n.Name, err)
	}
	if i.namespaces[key] != nil {
		return Item{}, fmt.Errorf("duplicate namespace %q", n.Name)
	}
	i.namespaces[key] = &n
	return Item{Namespace: &n}, nil
}

func (i *Inventory) image(r *imageRecord) (Item, error) {
	image := imageInUTC(r.Image)
	if err := errors.Join(
		need("name", image.Name), need("id", image.ID), need("visibility", image.Visibility), needReady(image.Status),
		needTime("created_at", image.CreatedAt), needTime("updated_at", image.UpdatedAt),
	); err != nil {
		return Item{}, fmt.Errorf("image %q: %w", image.Name, err)
	}
	n := i.namespaces[objectKey{r.Region, image.NamespaceID}]
	if n == nil || n.Name != r.Namespace {
		return Item{}, fmt.Errorf("image %q comes without its namespace %q before it", image.Name, r.Namespace)
	}
	key := objectKey{r.Region, image.ID}
	if i.images[key] {
		return Item{}, fmt.Errorf("duplicate image %q", image.Name)
	}
	i.images[key] = true
	image.Namespace = n
	for at := range image.Tags {
		if err := checkTag(&image.Tags[at]); err != nil {
			return Item{}, fmt.Errorf("image %q: tag %q: %w", image.Name, image.Tags[at].Name, err)
		}
	}
	if err := complete(&image, image.Tags, namesOf(image.Tags)); err != nil {
		return Item{}, fmt.Errorf("image %q: %w", image.Name, err)
	}
	return Item{Image: &image}, nil
}

func (i *Inventory) listed(r *listedRecord) (Item, error) {
	n := i.namespaces[objectKey{r.Region, r.NamespaceID}]
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

// toGap refuses a gap whose reach it does not know: it may hold more than this
// version can tell.
func toGap(r *gapRecord) (Item, error) {
	known := []registry.Holds{registry.HoldsItself, registry.HoldsNamespaces, registry.HoldsAll, registry.HoldsNothing}
	if !slices.Contains(known, r.Holds) {
		return Item{}, fmt.Errorf("gap %q: blinds is %q: want one of %v", r.Subject, r.Holds, known)
	}
	return Item{Gap: &r.Gap}, need("subject", r.Subject)
}

func checkTag(t *registry.Tag) error {
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
		return fmt.Errorf("%s is missing", field)
	}
	return nil
}

func needTime(field string, value time.Time) error {
	if value.IsZero() {
		return fmt.Errorf("%s is missing", field)
	}
	return nil
}

func needReady(status registry.Status) error {
	if status != registry.StatusReady {
		return fmt.Errorf("status %q: only ready objects are recorded", status)
	}
	return nil
}
