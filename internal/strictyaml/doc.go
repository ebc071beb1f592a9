// Package strictyaml reads YAML into Go structs, strictly: every problem is
// reported at once, each with its file, line, key path and remedy.
//
// The types that a document is read into define what it may contain. A field
// is a bool, an int, a float64, an int64 (a size in bytes, such as 120MB), a
// string, a [Duration] or a [time.Duration], a struct, a slice, or a pointer to
// one of these. Its tags define the rest:
//
//	yaml      the key; "-" is not a key
//	is        the [Check] that a string, or each entry of a list, has to pass
//	one       the values that a string may have: "plan|apply"
//	need      the key is required; the text is the hint
//	fill      an empty mapping is an error; the text is the hint
//	null      the hint for a key without a value
//	blank     "ok": the empty string or list is allowed
//	lines     "ok": a string may have several lines
//	min, max  the bounds of a number
//	positive  "yes": a duration of zero is an error
//	signed    "yes": a time.Duration may be negative
//
// A mapping whose defaults are not all zero is a [Defaulter], one with a key that
// can be written in two forms is an [Alternator].
//
// The package must never guess: a value that it does not understand completely is
// a problem, never zero.
package strictyaml
