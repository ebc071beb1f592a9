// Package worlds describes what the emulated registry holds when it starts, how it
// behaves, and what goes wrong: by hand in a world file ([Parse]), in Go ([World]),
// or as a made-up company for demonstrations ([Demo]).
//
// It must never serve anything, and the same world must always be the same
// registry: identifiers come from the names, times from the ages.
package worlds
