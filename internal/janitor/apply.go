package janitor

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// ApplyOptions is how carefully the configuration has a plan applied.
func (p *Planner) ApplyOptions(concurrency int) apply.ApplyOptions {
	limits := p.Config.Limits
	o := apply.ApplyOptions{
		Concurrency:  concurrency,
		KeepAtLeast:  limits.KeepAtLeast,
		SharedDigest: actions.SharedDigest(p.Config.SharedDigest),
		Canary:       limits.Canary,
		Breaker:      limits.MaxFailures,
		MaxPlanAge:   limits.MaxPlanAge.Duration(),
	}
	if o.Canary == 0 {
		o.Canary = -1 // none, where the zero value is the default
	}
	return o
}

// Matches refuses a plan that was made with another configuration or with other
// policies.
func (p *Planner) Matches(plan *actions.Plan) error {
	switch {
	case plan.ConfigDigest != p.Config.Digest():
		return fmt.Errorf("the plan is of another configuration (%s, and this one is %s): make a new plan, or use the configuration that it was made with", plan.ConfigDigest, p.Config.Digest())
	case plan.PolicyDigest != p.Policies.Digest():
		return fmt.Errorf("the plan was made with other policies (%s, and these are %s): make a new plan", plan.PolicyDigest, p.Policies.Digest())
	}
	return nil
}

// CheckOwner refuses a plan for namespaces that these credentials do not see,
// such as those of another organization.
func (p *Planner) CheckOwner(ctx context.Context, plan *actions.Plan, source scanner.Source) error {
	wanted := map[registry.Region]map[string]bool{}
	for _, s := range plan.Steps {
		if wanted[s.Region] == nil {
			wanted[s.Region] = map[string]bool{}
		}
		wanted[s.Region][s.Namespace] = true
	}
	for region, names := range wanted {
		seen, err := source.Namespaces(ctx, registry.Query{Region: region, OrganizationID: p.Config.Scaleway.OrganizationID})
		if err != nil {
			return fmt.Errorf("looking whose plan it is: %w", err)
		}
		owned := slices.ContainsFunc(seen, func(n registry.Namespace) bool { return names[n.Name] })
		if !owned {
			return fmt.Errorf("the plan is of another organization: these credentials see none of its namespaces in %s: use those that it was made with", region)
		}
	}
	return nil
}
