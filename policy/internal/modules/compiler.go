package modules

import (
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

// Capabilities are those built-in functions of OPA that are offered, with < and >
// narrowed to numbers: Rego orders every number below every string, so that
// age_days < "30d" would always hold. Since every compiler asks for them, they also
// put the bounds around the functions.
func Capabilities() *ast.Capabilities {
	limitBuiltins()
	c := ast.CapabilitiesForThisVersion()
	c.AllowNet = []string{}
	names := offered()
	builtins := make([]*ast.Builtin, 0, len(names))
	for _, b := range c.Builtins {
		if _, ok := names[b.Name]; !ok {
			continue
		}
		switch b.Name {
		case ast.GreaterThan.Name, ast.GreaterThanEq.Name, ast.LessThan.Name, ast.LessThanEq.Name:
			narrow := *b
			narrow.Decl = types.NewFunction(types.Args(types.N, types.N), types.B)
			b = &narrow
		}
		builtins = append(builtins, b)
	}
	c.Builtins = builtins
	return c
}

// NewUntypedCompiler is as strict and hermetic as the real one, but has no
// schema: helpers and tests make up inputs of their own.
func NewUntypedCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(Capabilities()).WithStrict(true).WithEnablePrintStatements(true)
}
