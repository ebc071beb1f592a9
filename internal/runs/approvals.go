package runs

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Approvals are who has approved a plan, and how many are missing.
type Approvals struct {
	Required int        `json:"required"`
	By       []Approval `json:"by"` // one for each person
	Missing  int        `json:"missing"`
	// Refused are the signatures that do not count, each with the reason.
	Refused []string `json:"refused,omitempty"`
}

// Approval is the signature of one person.
type Approval struct {
	Principal string `json:"principal"`
	Key       string `json:"key"` // its fingerprint
}

// Words are who has approved and what is missing: "approved by ana@example.com; 1 of 2
// approvals is missing".
func (a *Approvals) Words() string {
	who := "not approved yet"
	if len(a.By) > 0 {
		var names []string
		for _, by := range a.By {
			names = append(names, by.Principal)
		}
		who = "approved by " + text.List(names, "and")
	}
	if a.Missing == 0 {
		return who
	}
	return fmt.Sprintf("%s; %d of %s %s missing", who, a.Missing, text.Count(a.Required, "approval"), text.Choose(a.Missing, "is", "are"))
}
