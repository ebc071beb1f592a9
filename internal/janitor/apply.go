package janitor

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Matches refuses a plan that was made with another configuration or other policies.
func (p *Planner) Matches(plan *actions.Plan) error {
	switch {
	case plan.ConfigDigest != p.Config.Digest():
		return fmt.Errorf("the plan is of another configuration (%s, and this one is %s): make a new plan, or use the configuration that it was made with", plan.ConfigDigest, p.Config.Digest())
	case plan.PolicyDigest != p.Policies.Digest():
		return fmt.Errorf("the plan was made with other policies (%s, and these are %s): make a new plan", plan.PolicyDigest, p.Policies.Digest())
	}
	return nil
}

// applyOptions are the settings of the configuration for applying a plan.
func (s *Session) applyOptions() apply.Options {
	limits := s.Config.Limits
	o := apply.Options{
		Concurrency:  s.o.Connection.Concurrency,
		KeepAtLeast:  limits.KeepAtLeast,
		SharedDigest: actions.SharedDigest(s.Config.SharedDigest),
		Canary:       limits.Canary,
		Breaker:      limits.MaxFailures,
		MaxPlanAge:   limits.MaxPlanAge.Duration(),
		Now:          s.o.Now,
	}
	if o.Canary == 0 {
		o.Canary = -1 // none; the zero value is the default
	}
	return o
}

// checkOwner refuses a plan of namespaces that these credentials do not see, such as
// those of another organization.
func (s *Session) checkOwner(ctx context.Context, plan *actions.Plan) error {
	wanted := map[registry.Region]map[string]bool{}
	for _, step := range plan.Steps {
		if wanted[step.Region] == nil {
			wanted[step.Region] = map[string]bool{}
		}
		wanted[step.Region][step.Namespace] = true
	}
	for region, names := range wanted {
		seen, err := s.reader.Namespaces(ctx, registry.Query{Region: region, OrganizationID: s.Config.Scaleway.OrganizationID})
		if err != nil {
			return fmt.Errorf("checking whose plan it is: %w", err)
		}
		owned := slices.ContainsFunc(seen, func(n registry.Namespace) bool { return names[n.Name] })
		if !owned {
			return fmt.Errorf("the plan is of another organization: these credentials see none of its namespaces in %s: use the credentials that it was made with", region)
		}
	}
	return nil
}
