package archivist

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/registry"
)

// visibilityNotes tell where everybody can pull an image that was private when its tags were
// archived, or may have been, or the reverse. They ask the registry itself, without a login,
// for one tag of each image: its settings are in two answers of the API, and a change
// of them can be on its way.
func visibilityNotes(ctx context.Context, connect archive.Connect, restored []archive.Restored) []string {
	wanted := map[registry.Ref]archive.Restored{}
	for _, one := range restored {
		ref, err := registry.ParseRef(one.As)
		if err != nil {
			continue
		}
		image := ref.WithoutTag()
		if one.Record.Rule == archive.RuleOverwritten && one.Record.Image() == image.String() {
			continue // the image was there when the tag was moved
		}
		if known, ok := wanted[image]; !ok || concern(&one.Record) > concern(&known.Record) {
			wanted[image] = one
		}
	}
	words := map[registry.Visibility]string{registry.Public: "is public now", registry.Private: "cannot be pulled without a login now"}
	var notes []string
	for image, one := range wanted {
		now, err := visibilityOf(ctx, connect, one.As)
		if err != nil {
			notes = append(notes, fmt.Sprintf("whether %s is public could not be found out: %v; %s", image, err, before(image, &one.Record)))
		} else if isKnown(&one.Record) && one.Record.Visibility != string(now) || !isKnown(&one.Record) && now == registry.Public {
			notes = append(notes, fmt.Sprintf("%s %s, and %s: restore does not change the visibility; set it again if that matters", image, words[now], before(image, &one.Record)))
		}
	}
	slices.Sort(notes)
	return notes
}

// visibilityOf is public if everybody can pull a tag.
func visibilityOf(ctx context.Context, connect archive.Connect, tag string) (registry.Visibility, error) {
	ref, err := registry.ParseRef(tag)
	if err != nil {
		return "", err
	}
	at, err := connect(ref.WithoutTag())
	if err != nil {
		return "", err
	}
	if shown, err := at.Shows(ctx, ref.Tag); err != nil || !shown {
		return registry.Private, err
	}
	return registry.Public, nil
}

// before is what the record of a tag in an image, or of one of which it is a copy, says of
// its visibility.
func before(image registry.Ref, record *archive.Record) string {
	subject := "it"
	if from := record.Image(); from != image.String() {
		subject = from + ", of which this is a copy,"
	}
	if !isKnown(record) {
		return fmt.Sprintf("the archive does not say whether %s was public when its tags were archived", subject)
	}
	return fmt.Sprintf("%s was %s when its tags were archived", subject, record.Visibility)
}

// concern orders records by how much it matters that their image is public now.
func concern(record *archive.Record) int {
	return slices.Index([]registry.Visibility{registry.Public, "", registry.Inherit, registry.Private}, registry.Visibility(record.Visibility))
}

// isKnown reports whether a record says whether the image was public. Those of earlier
// versions have its own setting, which may be to inherit.
func isKnown(record *archive.Record) bool {
	return record.Visibility == string(registry.Public) || record.Visibility == string(registry.Private)
}
