package archivist

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// visibilityNotes tell where an image has another visibility than when its tags were
// archived.
func visibilityNotes(ctx context.Context, connection scaleway.Options, restored []archive.Restored) []string {
	reader, err := scaleway.NewReader(connection)
	if err != nil {
		return nil
	}
	wanted := map[registry.Ref]string{}
	for _, one := range restored {
		if ref, err := registry.ParseRef(one.As); err == nil && one.Record.Visibility != "" {
			wanted[ref.WithoutTag()] = one.Record.Visibility
		}
	}
	var notes []string
	for ref, visibility := range wanted {
		now, words, err := visibilityOf(ctx, reader, ref, visibility)
		switch {
		case err != nil:
			notes = append(notes, fmt.Sprintf("the visibility of %s could not be read: %v; it was %s", ref, err, visibility))
		case now == registry.Inherit && visibility != string(now):
			notes = append(notes, fmt.Sprintf("%s is %s now, as its namespace is, and was %s by itself when its tags were archived: restore does not change the visibility; set it again if that matters", ref, words, visibility))
		case now != "" && string(now) != visibility:
			notes = append(notes, fmt.Sprintf("%s is %s now, and was %s when its tags were archived: restore does not change the visibility; set it again if that matters", ref, words, visibility))
		}
	}
	slices.Sort(notes)
	return notes
}

// visibilityOf is the visibility of an image, and in words what that means; "" if there is
// no such image. It asks for the namespace only if several images of the region have that
// name, or if the image is not as it was and inherits.
func visibilityOf(ctx context.Context, reader *scaleway.Reader, ref registry.Ref, was string) (registry.Visibility, string, error) {
	found, err := imagesNamed(ctx, reader, ref)
	if err != nil || len(found) == 0 {
		return "", "", err
	}
	if v := found[0].Visibility; len(found) == 1 && (v != registry.Inherit || string(v) == was) {
		return v, string(v), nil
	}
	namespaces, err := reader.Namespaces(ctx, registry.Query{Region: ref.Region, Name: ref.Namespace})
	if err != nil {
		return "", "", err
	}
	for i := range namespaces {
		n := &namespaces[i]
		for j := range found {
			switch v := found[j].Visibility; {
			case n.Name != ref.Namespace || found[j].NamespaceID != n.ID:
			case v != registry.Inherit:
				return v, string(v), nil
			case n.IsPublic:
				return v, "public", nil
			default:
				return v, "private", nil
			}
		}
	}
	return "", "", nil
}

func imagesNamed(ctx context.Context, reader *scaleway.Reader, ref registry.Ref) ([]registry.Image, error) {
	var found []registry.Image
	for img, err := range reader.Images(ctx, registry.Query{Region: ref.Region, Name: ref.Image}) {
		if err != nil {
			return nil, err
		}
		if img.Name == ref.Image {
			found = append(found, img)
		}
	}
	return found, nil
}
