package main

import (
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
)

// narrowHelp belongs to the help of plan.
const narrowHelp = `

With --region, --namespace or --image, the plan is about a part of the scope; each may
be repeated, and what matches one value of every flag counts. What is left out is not
read. Every use source still is, and every rule and guard decides as always, so a
narrowed plan has no step that the plan of the whole scope would not have. With
--image, namespaces themselves are not judged. The limits look at the narrowed plan:
max_deletion_percent is the share of the tags in it. The saved plan is one of the same
configuration, and apply carries it out as usual, with the limits computed for whole
namespaces.`

// nothingMatches is an error if there is nothing in a narrowed plan, and nothing that
// was left unread: then a flag has a mistake.
func nothingMatches(p *actions.Plan) error {
	if p == nil || len(p.Narrowed) == 0 || p.Summary.Namespaces+p.Summary.Images+len(p.Gaps) > 0 || len(p.Violations) > 0 {
		return nil
	}
	hint := ""
	for _, flag := range p.Narrowed {
		if image, ok := strings.CutPrefix(flag, "--image "); ok && strings.Contains(image, "/") {
			hint = ": --image takes the name of an image without its namespace, for which there is --namespace"
		}
	}
	return fmt.Errorf("nothing in the scope of the configuration matches %s%s", strings.Join(p.Narrowed, " "), hint)
}
