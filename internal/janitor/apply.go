package janitor

import (
	"context"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
	"github.com/registry-janitor/registry-janitor/actions/plan"
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
		Concurrency:    s.o.Connection.Concurrency,
		SharedDigestIn: s.sharedDigest,
		Canary:         limits.Canary,
		Breaker:        limits.MaxFailures,
		MaxPlanAge:     limits.MaxPlanAge.Duration(),
		Now:            s.o.Now,
	}
	if o.Canary == 0 {
		o.Canary = -1 // none; the zero value is the default
	}
	return o
}

// checkOwner refuses a plan of namespaces that these credentials do not see, such as
// those of another organization. It returns the namespaces of the plan.
func (s *Session) checkOwner(ctx context.Context, plan *actions.Plan) ([]registry.Namespace, error) {
	wanted := map[registry.Region]map[string]bool{}
	for _, step := range plan.Steps {
		if wanted[step.Region] == nil {
			wanted[step.Region] = map[string]bool{}
		}
		wanted[step.Region][step.Namespace] = true
	}
	var owned []registry.Namespace
	for region, names := range wanted {
		seen, err := s.reader.Namespaces(ctx, registry.Query{Region: region, OrganizationID: s.Config.Scaleway.OrganizationID})
		if err != nil {
			return nil, fmt.Errorf("checking whose plan it is: %w", err)
		}
		before := len(owned)
		for _, n := range seen {
			if names[n.Name] {
				owned = append(owned, n)
			}
		}
		if len(owned) == before {
			return nil, fmt.Errorf("the plan is of another organization: these credentials see none of its namespaces in %s: use the credentials that it was made with", region)
		}
	}
	return owned, nil
}

// checkLimits refuses a plan that was read from a file when the limits do: they are
// computed from its steps and from what is in the registry now, whatever the file
// says about them.
func (s *Session) checkLimits(ctx context.Context, p *actions.Plan, namespaces []registry.Namespace) error {
	o := s.planOptions()
	deletions := p.Summary.Deletions()
	if o.MaxDeletionPercent >= 100 {
		o.MaxDeletionPercent = -1 // there are never more deletions than tags
	}
	shares := map[registry.Ref]plan.Share{}
	if o.MaxDeletionPercent >= 0 && deletions > 0 {
		if err := s.count(ctx, p, namespaces, shares); err != nil {
			return err
		}
	}
	refusals := plan.Refusals(deletions, shares, o)
	if len(refusals) > 0 && len(shares) > 0 {
		// The share of all tags together counts every namespace, not only those of the plan.
		for _, region := range s.Config.Scaleway.Regions {
			all, err := s.reader.Namespaces(ctx, registry.Query{Region: registry.Region(region), OrganizationID: s.Config.Scaleway.OrganizationID})
			if err != nil {
				return fmt.Errorf("counting the tags for limits.max_deletion_percent: %w", err)
			}
			if err := s.count(ctx, p, all, shares); err != nil {
				return err
			}
		}
		refusals = plan.Refusals(deletions, shares, o)
	}
	if len(refusals) > 0 {
		return actions.Refuse(refusals)
	}
	return nil
}

// count counts the tags in scope of namespaces that are not counted yet, and those
// of them that the plan deletes, by the names that the rows of their images show.
func (s *Session) count(ctx context.Context, p *actions.Plan, namespaces []registry.Namespace, shares map[registry.Ref]plan.Share) error {
	doomed := map[string]map[string]bool{} // image ID → tags
	for i := range p.Steps {
		if at, ok := p.ImageOf(&p.Steps[i]); ok && p.Steps[i].Action == actions.DeleteTag {
			id := p.Images[at].ID
			if doomed[id] == nil {
				doomed[id] = map[string]bool{}
			}
			doomed[id][p.Steps[i].Tag] = true
		}
	}
	scope := Scope(s.Config)
	for i := range namespaces {
		ns := &namespaces[i]
		if _, counted := shares[ns.Ref()]; counted {
			continue
		}
		var share plan.Share
		for img, err := range s.reader.Images(ctx, registry.Query{Region: ns.Region, NamespaceID: ns.ID}) {
			if err != nil {
				return fmt.Errorf("counting the tags for limits.max_deletion_percent: %w", err)
			}
			img.Namespace = ns
			if !scope.Holds(img.Ref()) {
				continue
			}
			names, err := s.tagNames(ctx, &img, doomed[img.ID])
			if err != nil {
				return fmt.Errorf("counting the tags for limits.max_deletion_percent: %w", err)
			}
			share.Tags += len(names)
			for _, name := range names {
				if doomed[img.ID][name] {
					share.Deleted++
				}
			}
		}
		shares[ns.Ref()] = share
	}
	return nil
}

// tagNames are the names of the tags of an image: those in its row, or, if that
// lacks one of those that are to be deleted, those that are listed.
func (s *Session) tagNames(ctx context.Context, img *registry.Image, doomed map[string]bool) ([]string, error) {
	for name := range doomed {
		if !slices.Contains(img.TagNames, name) {
			tags, err := s.reader.Tags(ctx, img.Namespace.Region, img.ID)
			var names []string
			for i := range tags {
				names = append(names, tags[i].Name)
			}
			return names, err
		}
	}
	return img.TagNames, nil
}
