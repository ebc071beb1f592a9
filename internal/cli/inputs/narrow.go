package inputs

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// AddNarrowing adds the flags that narrow a plan to a part of the scope.
func (f *Flags) AddNarrowing(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.regions, "region", nil, "plan only this `REGION`; may be repeated")
	cmd.Flags().StringArrayVar(&f.namespaces, "namespace", nil, "plan only namespaces whose name matches this `GLOB`; may be repeated")
	cmd.Flags().StringArrayVar(&f.images, "image", nil, "plan only images whose name, without the namespace, matches this `GLOB`; may be repeated")
}

// narrowing checks the flags that narrow.
func (f *Flags) narrowing(c *config.Config) (scanner.Narrowing, error) {
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
