// Package registry holds the nouns of a Scaleway Container Registry and of the
// judgement passed on it: regions, namespaces, images, tags, references, uses,
// gaps and verdicts, and the errors into which adapters translate what the API
// answers.
//
// It is the vocabulary every other package shares. It must never do I/O, never
// read the clock, and never import anything but the standard library.
package registry
