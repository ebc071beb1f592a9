// Package scanner walks a registry, concurrently and bounded, into a stream of
// complete images, and says what it could not read. It writes that stream to an
// inventory file, and reads it back.
//
// It must never present what is not whole as if it were: an image is streamed
// with every one of its tags or not at all, a namespace is only empty when a
// complete listing proves it, and everything that could not be read is a gap.
// It never decides anything about an image, never changes one, and never holds
// the whole registry: memory is bounded by workers times the largest image.
//
// The tag names that the API lists inline with an image never stand in for its
// tag listing, not even when no rule could match any of them. Whether they are
// truncated for large images is unknown, and they carry neither status nor
// digest nor time: a tag unseen there could share a digest or count towards the
// tags that must stay, and the counts of a plan would be wrong.
package scanner
