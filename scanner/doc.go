// Package scanner walks a registry, concurrently and bounded, into a stream of
// complete images, and reports what it could not read. It writes that stream to an
// inventory file, and reads it back.
//
// Scan reads a Source within a Scope and delivers a Stream of Items: namespaces,
// images with their tags, and gaps. An Inventory is such a stream in a file.
//
// It must never deliver something incomplete as if it were complete: an image comes
// with every one of its tags or not at all, a namespace is empty only if a complete
// listing proves it, and everything that could not be read is a gap. It never
// decides anything about an image, never changes one, and never holds the whole
// registry: memory is bounded by workers times the largest image.
//
// A Cache may give it the tags of an image whose row has not changed since they were
// listed. Such an Item says so, and how to list them now.
//
// The tag names that the API lists inline with an image count only against its tag
// listing: one that the listing lacks, also after the image was read again, makes the
// image a gap. They never replace the listing, not even when no rule could match any of them. Whether they are truncated
// for large images is unknown, and they carry neither status nor digest nor time: a
// tag that is not seen there could share a digest or count towards the tags that
// must be kept, and the counts of a plan would be wrong.
package scanner
