// Package sources makes the use sources that a configuration names: the references
// file, serverless products, Kubernetes clusters, and the Kapsule clusters that it
// finds. Its nouns are the set of sources, the Kapsule finder, and the key that names a
// source in inventories.
//
// It must never leave out a source that it cannot make: that source is one that fails,
// so that nothing is deleted.
package sources
