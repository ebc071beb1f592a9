// Package registry holds the nouns that every other package shares: the Namespaces,
// Images and Tags of a Scaleway Container Registry, the Refs that name them, their
// Uses, the Gaps in what was read, and the Verdicts of policies. It also holds the
// errors into which adapters translate the answers of the API.
//
// It must never do I/O, never read the clock, and never import anything but the
// standard library.
package registry
