// Package archive keeps copies of what tags held, and restores it. Its nouns:
//
//   - an Archive: an index of records over a store of blobs
//   - a Record: one tag that was archived, and everything about its deletion
//   - a tree: a manifest with all parts, configs and layers below it
//   - a Copier: copies trees from a registry into the archive, before deletions
//   - a Restorer: pushes trees back
//   - a purge: removes records that have expired, and blobs that no record needs
//
// The archive is an OCI image layout that other tools can read, and complete by
// itself. It must never hold credentials, make a name of anything but a digest, record
// a tree before every blob of it was verified, or remove a blob that a record needs.
package archive
