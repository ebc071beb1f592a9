// Package propose writes a first configuration for a registry, from what is in it.
//
// A shape is a kind of tag name, such as a version or the build of a commit, with the
// rule that fits it. A Survey counts the tags of each shape, as a group, and which
// images are public. Write makes a commented janitor.yaml of it, and Today the
// comment that ends the file: what a plan of the proposal would delete.
//
// Rules must not overlap, because a name has one shape; only names that are surely
// builds, previews or caches have a rule that deletes, and each such rule keeps the
// newest tag of every image. Read surveys a recorded scan. The package must never propose
// a rule that is enforced, or open anything itself.
package propose
