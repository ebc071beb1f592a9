package modules

import (
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
)

// NewCompiler is strict, hermetic and typed.
func NewCompiler(schema any) *ast.Compiler {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	return ast.NewCompiler().
		WithCapabilities(builtins.Capabilities()).
		WithSchemas(schemas).
		WithStrict(true).
		WithEnablePrintStatements(true)
}

// NewUntypedCompiler is as strict and hermetic as the real one, but has no
// schema: helpers and tests make up inputs of their own.
func NewUntypedCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(builtins.Capabilities()).WithStrict(true).WithEnablePrintStatements(true)
}
