package modules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// NewCompiler is strict, hermetic and typed.
func NewCompiler(schema any) *ast.Compiler {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	return ast.NewCompiler().
		WithCapabilities(Capabilities()).
		WithSchemas(schemas).
		WithStrict(true).
		WithEnablePrintStatements(true)
}

// Capabilities are OPA's own without what could make a verdict depend on
// anything but its input, and with < and > narrowed to numbers: Rego orders
// every number below every string, so that age_days < "30d" would always hold.
// Since every compiler asks for them, they also bound the built-in functions.
func Capabilities() *ast.Capabilities {
	bounded()
	c := ast.CapabilitiesForThisVersion()
	c.AllowNet = []string{}
	builtins := make([]*ast.Builtin, 0, len(c.Builtins))
	for _, b := range c.Builtins {
		switch b.Name {
		case ast.GreaterThan.Name, ast.GreaterThanEq.Name, ast.LessThan.Name, ast.LessThanEq.Name:
			narrow := *b
			narrow.Decl = types.NewFunction(types.Args(types.N, types.N), types.B)
			b = &narrow
		case ast.NowNanos.Name: // follows the time of the scan
		default:
			if b.Nondeterministic || !hermetic(b.Name) {
				continue
			}
		}
		builtins = append(builtins, b)
	}
	c.Builtins = builtins
	return c
}

// hermetic reports whether a built-in of this name stays inside the evaluation.
func hermetic(name string) bool {
	for _, family := range []string{"http.", "net.", "rand.", "opa.", "rego.", "providers.", "uuid.rfc4122"} {
		if strings.HasPrefix(name, family) {
			return false
		}
	}
	return true
}

// NewUntypedCompiler is as strict and hermetic as the real one, but has no
// schema: helpers and tests make up inputs of their own.
func NewUntypedCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(Capabilities()).WithStrict(true).WithEnablePrintStatements(true)
}
