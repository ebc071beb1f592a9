package author

import "github.com/registry-janitor/registry-janitor/policy/internal/modules"

// Finding is something wrong or doubtful in a policy, in the form that editors
// read. It is an error too.
type Finding = modules.Finding

// The severities of findings.
const (
	Problem = modules.Problem // prevents every plan
	Doubt   = modules.Doubt   // worth a look
)
