// Package rules has the rules of a configuration: the one form of them that the
// configuration is read into, that judges decide by, and that lists explain.
//
// A Retention, Visibility or Naming rule is about what its Match matches and its
// Except does not. A Selector is the compiled form of both. The struct tags are
// those of the strict YAML reader.
//
// The package must never decide what happens to a tag: package policy does.
package rules
