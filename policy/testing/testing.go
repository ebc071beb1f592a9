// Package testing has the Rego library data.janitor.testing, with which the tests
// of a policy build its input.
//
// It must never become part of a policy set: only tests may import it.
package testing

import _ "embed"

// Library is the Rego of the library, as a file to put beside the tests for OPA's
// own opa test.
//
//go:embed testing.rego
var Library string

// File is what messages call the library.
const File = "builtin/testing.rego"
