package archivist

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// visibilityNotes tell where an image is more or less visible than when its tags were
// archived, or public and the archive does not say that it was.
func visibilityNotes(ctx context.Context, connection scaleway.Options, restored []archive.Restored) []string {
	reader, err := scaleway.NewReader(connection)
	if err != nil {
		return nil
	}
	wanted := map[registry.Ref]archive.Record{}
	for _, one := range restored {
		ref, err := registry.ParseRef(one.As)
		if err != nil {
			continue
		}
		image := ref.WithoutTag()
		if known, ok := wanted[image]; !ok || known.Visibility == string(registry.Public) {
			wanted[image] = one.Record // one that was not public matters more
		}
	}
	now := lookups{reader: reader, namespaces: map[registry.Ref]*registry.Namespace{}}
	var notes []string
	for ref, record := range wanted {
		img, err := now.image(ctx, ref)
		if err != nil {
			notes = append(notes, fmt.Sprintf("the visibility of %s could not be read: %v; %s", ref, err, before(ref, &record)))
		} else if note := visibilityNote(img, ref, &record); note != "" {
			notes = append(notes, note)
		}
	}
	slices.Sort(notes)
	return notes
}

// visibilityNote is about one image, which may be nil; "" if there is nothing to say.
func visibilityNote(img *registry.Image, ref registry.Ref, record *archive.Record) string {
	if img == nil {
		return ""
	}
	now := img.EffectiveVisibility()
	if string(now) == record.Visibility || !isKnown(record) && now != registry.Public {
		return ""
	}
	words := string(now) + " now"
	if img.Visibility == registry.Inherit {
		words += ", as its namespace is"
	}
	return fmt.Sprintf("%s is %s, and %s: restore does not change the visibility; set it again if that matters", ref, words, before(ref, record))
}

// before is what the record of a tag in an image, or of one of which it is a copy, says of
// its visibility.
func before(ref registry.Ref, record *archive.Record) string {
	subject := "it"
	if from := record.Image(); from != ref.String() {
		subject = from + ", of which this is a copy,"
	}
	if !isKnown(record) {
		return fmt.Sprintf("the archive does not say whether %s was public when its tags were archived", subject)
	}
	return fmt.Sprintf("%s was %s when its tags were archived", subject, record.Visibility)
}

// isKnown reports whether a record says whether the image was public. Those of earlier
// versions have its own setting, which may be to inherit.
func isKnown(record *archive.Record) bool {
	return record.Visibility == string(registry.Public) || record.Visibility == string(registry.Private)
}

// lookups reads images, and each namespace only once.
type lookups struct {
	reader     *scaleway.Reader
	namespaces map[registry.Ref]*registry.Namespace // nil: not there
}

// image is an image; nil if there is none. It has its namespace only if it inherits, or if
// several images of the region have that name.
func (l *lookups) image(ctx context.Context, ref registry.Ref) (*registry.Image, error) {
	found, err := l.imagesNamed(ctx, ref)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if len(found) == 1 && found[0].Visibility != registry.Inherit {
		return &found[0], nil
	}
	namespace, err := l.namespace(ctx, ref.WithoutImage())
	if err != nil || namespace == nil {
		return nil, err
	}
	for i := range found {
		if img := &found[i]; img.NamespaceID == namespace.ID {
			img.Namespace = namespace
			return img, nil
		}
	}
	return nil, nil //nolint:nilnil // as documented
}

func (l *lookups) imagesNamed(ctx context.Context, ref registry.Ref) ([]registry.Image, error) {
	var found []registry.Image
	for img, err := range l.reader.Images(ctx, registry.Query{Region: ref.Region, Name: ref.Image}) {
		if err != nil {
			return nil, err
		}
		if img.Name == ref.Image {
			found = append(found, img)
		}
	}
	return found, nil
}

func (l *lookups) namespace(ctx context.Context, ref registry.Ref) (*registry.Namespace, error) {
	if known, ok := l.namespaces[ref]; ok {
		return known, nil
	}
	list, err := l.reader.Namespaces(ctx, registry.Query{Region: ref.Region, Name: ref.Namespace})
	if err != nil {
		return nil, err
	}
	l.namespaces[ref] = nil
	for i := range list {
		if list[i].Name == ref.Namespace {
			l.namespaces[ref] = &list[i]
		}
	}
	return l.namespaces[ref], nil
}
