package registry

import "slices"

// The tags that an archive of deleted tags has where it is an image of a registry: its
// index, and the mark that there is one.
const (
	ArchiveIndexTag  = "registry-janitor-index"
	ArchiveLayoutTag = "registry-janitor-layout"
)

// IsArchive reports whether the image has the tags of an archive, whatever configuration
// made it: without its index, nothing in it can be found again.
func (i *Image) IsArchive() bool {
	return slices.ContainsFunc(i.Tags, func(t Tag) bool { return t.Name == ArchiveIndexTag || t.Name == ArchiveLayoutTag })
}
