// Package config reads janitor.yaml, the operator's configuration: strict,
// defaulted, with every problem reported at once, each with its line, its key
// path and a remedy.
//
// What the file may say is written down once, in the types of this package and
// their tags. The decoder, the document that policies see as data.config, and
// the tests of the JSON Schema all read them:
//
//	yaml      the key; omitempty leaves an absent value out of the document
//	is        the check that a string, or each entry of a list, has to pass
//	one       the values that a string may have
//	need      the key is required; the text is the hint
//	fill      a mapping without any key is an error; the text is the hint
//	null      the hint where the key stands without a value
//	blank     "ok" where an empty string or list spells the default
//	lines     "ok" where a string may have several lines
//	min, max  the bounds of a number
//	positive  "yes" where a duration of zero is an error
//
// It must never guess: a file that is not understood whole is refused whole. It
// must never expand variables, call the API, or read the clock.
package config
