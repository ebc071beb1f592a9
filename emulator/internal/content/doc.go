// Package content makes what the tags of a world file hold: manifests, configs and
// layers that real clients can pull and verify, of any size, from a few words.
//
// A layer is a gzipped archive of nothing but zeros, with something of its own at the
// end. A table has the state of SHA-256 after the zeros, so that naming a layer of a
// gigabyte costs as much as naming one of a kilobyte, and its bytes are made when a
// client reads them. The same [Recipe] always makes the same [Content].
//
// It must never hold a layer in memory, or know a registry.
package content
