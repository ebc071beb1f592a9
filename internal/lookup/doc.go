// Package lookup finds what a person names: a tag, an image, a namespace or a digest,
// written as container tools write it. Its nouns:
//
//   - Named: the candidates that a reference may name, one in each region
//   - Search: what a feed shows of them
//   - Object: one that exists
//
// It must never say that something does not exist where a gap may hide it.
package lookup
