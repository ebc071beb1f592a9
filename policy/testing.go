package policy

import (
	_ "embed"

	"github.com/open-policy-agent/opa/v1/ast"
)

//go:embed testing/testing.rego
var testingLibrary []byte

// TestingLibrary is the Rego of data.janitor.testing, the builders of inputs for
// tests, as a file to put beside the tests for OPA's own opa test.
func TestingLibrary() []byte { return testingLibrary }

// testingFile is how the library is called in messages.
const testingFile = "builtin/testing.rego"

// testingPackage is the package of the library. A module of the operator's own
// in that package is a copy of it, for OPA's own tools.
func testingPackage() ast.Ref {
	return ast.Ref{ast.DefaultRootDocument, ast.StringTerm("janitor"), ast.StringTerm("testing")}
}
