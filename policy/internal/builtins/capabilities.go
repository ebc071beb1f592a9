package builtins

import (
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// Capabilities are those built-in functions of OPA that are offered, with < and >
// narrowed to numbers: Rego orders every number below every string, so that
// age_days < "30d" would always hold. Since every compiler asks for them, they also
// put the bounds around the functions. Compilers share them: read only.
func Capabilities() *ast.Capabilities { return capabilities() }

var capabilities = sync.OnceValue(func() *ast.Capabilities {
	limitAll()
	c := ast.CapabilitiesForThisVersion()
	c.AllowNet = []string{}
	names := offered()
	all := make([]*ast.Builtin, 0, len(names))
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
		all = append(all, b)
	}
	c.Builtins = all
	return c
})
