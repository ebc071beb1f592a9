package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
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

// narrowFlags narrow a plan.
type narrowFlags struct{ regions, namespaces, images []string }

func (f *narrowFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.regions, "region", nil, "plan only this `REGION`; may be repeated")
	cmd.Flags().StringArrayVar(&f.namespaces, "namespace", nil, "plan only namespaces whose name matches this `GLOB`; may be repeated")
	cmd.Flags().StringArrayVar(&f.images, "image", nil, "plan only images whose name, without the namespace, matches this `GLOB`; may be repeated")
}

// openPart opens the session of a plan, at its time and for its part of the scope.
func (a *app) openPart(ctx context.Context, f *planFlags) (*source, error) {
	s, err := a.openAt(ctx, &f.sourceFlags, f.asOf)
	if err != nil {
		return nil, err
	}
	if s.planner.Only, err = f.narrow.narrowing(s.planner.Config); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// narrowing checks the flags.
func (f *narrowFlags) narrowing(c *config.Config) (scanner.Narrowing, error) {
	n := scanner.Narrowing{Namespaces: f.namespaces, Images: f.images}
	for _, region := range f.regions {
		if !slices.Contains(c.Scaleway.Regions, region) {
			return n, fmt.Errorf("--region %s is not in scaleway.regions of %s: want %s", region, c.File, text.List(c.Scaleway.Regions, "or"))
		}
		n.Regions = append(n.Regions, registry.Region(region))
	}
	for flag, globs := range map[string][]string{"--namespace": f.namespaces, "--image": f.images} {
		if err := (scanner.Scope{Include: globs}).Validate(); err != nil {
			return n, fmt.Errorf("%s: %w", flag, err)
		}
	}
	return n, nil
}

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
