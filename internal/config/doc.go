// Package config reads janitor.yaml, the operator's configuration: strict,
// defaulted, with every problem reported at once, each with its line, its key path
// and a remedy.
//
// The keys of the file are defined once, in the types of this package and of
// policy/rules, with the tags of internal/strictyaml. The decoder, the document that
// policies see as data.config, and the tests of the JSON Schema all read them. The
// tag omitempty leaves an absent value out of that document.
//
// The package must never guess: it refuses a file that it does not understand
// completely. It must never expand variables, call the API, or read the clock.
package config
