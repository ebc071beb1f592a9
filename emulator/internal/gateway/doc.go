// Package gateway is what a request of the emulated API passes before the API acts on it:
// a Limiter that may refuse it, a Log that remembers it, and the Faults of the world, of
// which one may happen to it.
//
// It must never keep a header, or know an object of the registry.
package gateway
