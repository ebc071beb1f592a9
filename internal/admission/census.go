package admission

import (
	"context"
	"fmt"
	"maps"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Census counts what is in a registry now, against a saved plan.
type Census struct {
	Registry scanner.Source
	Scope    scanner.Scope
	Limits   plan.Options
	// Restored is what was restored from the archive, and does not count.
	Restored registry.Restorations
}

// Check refuses a plan that is not of this registry, or that the limits refuse: they are
// computed from its steps and from what is in the registry now, whatever the plan says
// about them.
func (c *Census) Check(ctx context.Context, p *actions.Plan) error {
	owned, err := c.owned(ctx, p)
	if err != nil {
		return err
	}
	o, deletions := c.Limits, p.Summary.Deletions()
	if o.MaxDeletionPercent >= 100 {
		o.MaxDeletionPercent = -1 // there are never more deletions than tags
	}
	n := &count{Census: c, doomed: doomedBy(p), shares: map[registry.Ref]plan.Share{}}
	if o.MaxDeletionPercent >= 0 && deletions > 0 {
		if err := n.add(ctx, owned); err != nil {
			return err
		}
	}
	refusals := plan.Refusals(deletions, n.shares, o)
	if len(refusals) > 0 && len(n.shares) > 0 {
		// The share of all tags together counts every namespace, not only those of the plan.
		for _, region := range c.Scope.Regions {
			all, err := c.namespaces(ctx, region)
			if err != nil {
				return failed(err)
			}
			if err := n.add(ctx, all); err != nil {
				return err
			}
		}
		refusals = plan.Refusals(deletions, n.shares, o)
	}
	if len(refusals) > 0 {
		return actions.Refuse(refusals)
	}
	return nil
}

// owned refuses a plan of namespaces that these credentials do not see, such as those of
// another organization. It returns the namespaces of the plan.
func (c *Census) owned(ctx context.Context, p *actions.Plan) ([]registry.Namespace, error) {
	wanted := map[registry.Region]map[string]bool{}
	for _, step := range p.Steps {
		if wanted[step.Region] == nil {
			wanted[step.Region] = map[string]bool{}
		}
		wanted[step.Region][step.Namespace] = true
	}
	var owned []registry.Namespace
	for region, names := range wanted {
		seen, err := c.namespaces(ctx, region)
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

func (c *Census) namespaces(ctx context.Context, region registry.Region) ([]registry.Namespace, error) {
	return c.Registry.Namespaces(ctx, registry.Query{Region: region, OrganizationID: c.Scope.OrganizationID})
}

// count counts the tags in scope of namespaces, and those of them that a plan deletes.
type count struct {
	*Census
	doomed map[string]map[string]bool // image ID → tags
	shares map[registry.Ref]plan.Share
}

func doomedBy(p *actions.Plan) map[string]map[string]bool {
	doomed := map[string]map[string]bool{}
	for i := range p.Steps {
		if at, ok := p.ImageOf(&p.Steps[i]); ok && p.Steps[i].Action == actions.DeleteTag {
			id := p.Images[at].ID
			if doomed[id] == nil {
				doomed[id] = map[string]bool{}
			}
			doomed[id][p.Steps[i].Tag] = true
		}
	}
	return doomed
}

// add counts the namespaces that are not counted yet, by the names that the rows of their
// images show.
func (n *count) add(ctx context.Context, namespaces []registry.Namespace) error {
	for i := range namespaces {
		ns := &namespaces[i]
		if _, counted := n.shares[ns.Ref()]; counted {
			continue
		}
		var share plan.Share
		for img, err := range n.Registry.Images(ctx, registry.Query{Region: ns.Region, NamespaceID: ns.ID}) {
			if err != nil {
				return failed(err)
			}
			img.Namespace = ns
			if !n.Scope.Holds(img.Ref()) {
				continue
			}
			names, err := n.tagNames(ctx, &img)
			if err != nil {
				return failed(err)
			}
			share.Tags += len(names)
			for _, name := range names {
				if n.doomed[img.ID][name] {
					share.Deleted++
				}
			}
		}
		n.shares[ns.Ref()] = share
	}
	return nil
}

func failed(err error) error {
	return fmt.Errorf("counting the tags for limits.max_deletion_percent: %w", err)
}

// tagNames are the names of the tags of an image that count: those in its row, or, if that
// lacks one of those that are to be deleted, or any may have been restored, those that are
// listed.
func (n *count) tagNames(ctx context.Context, img *registry.Image) ([]string, error) {
	hidden := maps.Clone(n.doomed[img.ID])
	for _, name := range img.TagNames {
		delete(hidden, name)
	}
	if len(hidden) == 0 && len(n.Restored[img.Ref()]) == 0 {
		return img.TagNames, nil
	}
	tags, err := n.Registry.Tags(ctx, img.Namespace.Region, img.ID)
	var names []string
	for i := range tags {
		if _, ok := n.Restored.Of(img.Ref(), &tags[i], n.Limits.TakenAt); !ok {
			names = append(names, tags[i].Name)
		}
	}
	return names, err
}
