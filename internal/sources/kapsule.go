package sources

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/kube"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Kapsule finds the Kapsule clusters of a configuration.
type Kapsule struct {
	api interface {
		Clusters(ctx context.Context, region string) ([]scaleway.Cluster, error)
		Access(context.Context, scaleway.Cluster) (server string, ca []byte, token string, err error)
		Redact(string) string
	}
	regions []string
	only    []string // names as globs, or IDs; none means all
	options kube.Options
	log     *slog.Logger
}

// NewKapsule takes the Kapsule clusters that a configuration selects.
func NewKapsule(c *config.Config, reader *scaleway.Reader, o kube.Options) *Kapsule {
	regions := c.Protect.KapsuleRegions
	if len(regions) == 0 {
		regions = config.ClusterRegions()
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Kapsule{api: reader, regions: slices.Sorted(slices.Values(regions)), only: c.Protect.KapsuleClusters, options: o, log: log}
}

// Find returns a source for each cluster, and one that fails for each region that
// cannot be listed and for each cluster that the configuration names in vain.
func (k *Kapsule) Find(ctx context.Context) []uses.Source {
	clusters, sources := k.list(ctx)
	missing := slices.Clone(k.only)
	for _, c := range clusters {
		names := func(name string) bool { return matchesCluster(name, c) }
		missing = slices.DeleteFunc(missing, names)
		if len(k.only) == 0 || slices.ContainsFunc(k.only, names) {
			sources = append(sources, k.source(c))
		}
	}
	if len(sources) == 0 && len(missing) == 0 {
		k.log.Warn("protect.kapsule is set, but the API key cannot see any Kapsule cluster: name them in protect.kapsule.clusters to make a missing one a gap", "regions", strings.Join(k.regions, ","))
	}
	slices.Sort(missing)
	for _, name := range missing {
		sources = append(sources, uses.Unread("kapsule cluster "+name, fmt.Errorf("there is no such cluster in %s (correct protect.kapsule.clusters, or grant the API key KubernetesReadOnly in the cluster's project)", text.List(k.regions, "or"))))
	}
	return sources
}

func matchesCluster(name string, c scaleway.Cluster) bool {
	matches, err := doublestar.Match(name, c.Name)
	return name == c.ID || err == nil && matches
}

// Count counts the clusters that the API key can see, and the regions that it cannot
// list.
func (k *Kapsule) Count(ctx context.Context) (clusters, unlisted int) {
	found, failed := k.list(ctx)
	return len(found), len(failed)
}

// list lists all regions at once. The clusters are sorted.
func (k *Kapsule) list(ctx context.Context) (clusters []scaleway.Cluster, failed []uses.Source) {
	type answer struct {
		clusters []scaleway.Cluster
		err      error
	}
	answers := make([]answer, len(k.regions))
	var wg sync.WaitGroup
	for i, region := range k.regions {
		wg.Go(func() { answers[i].clusters, answers[i].err = k.api.Clusters(ctx, region) })
	}
	wg.Wait()
	for i, a := range answers {
		if a.err != nil {
			err := a.err
			if errors.Is(err, registry.ErrDenied) {
				err = fmt.Errorf("%w (grant the API key KubernetesReadOnly, or name the regions to ask in protect.kapsule.regions)", err)
			}
			failed = append(failed, uses.Unread("kapsule clusters in "+k.regions[i], err))
		}
		slices.SortFunc(a.clusters, func(a, b scaleway.Cluster) int {
			return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
		})
		clusters = append(clusters, a.clusters...)
	}
	return clusters, failed
}

// source is one cluster, which is read like any other.
func (k *Kapsule) source(c scaleway.Cluster) uses.Source {
	o := k.options
	o.Name, o.Redact = c.Name+" ("+c.Region+")", k.api.Redact
	o.Access = func(ctx context.Context) (server string, ca []byte, token string, err error) {
		return k.api.Access(ctx, c)
	}
	cluster := kube.New(o)
	return uses.Parsed(cluster.Name(), func(ctx context.Context) ([]registry.RawUse, error) {
		found, err := cluster.Uses(ctx)
		if err != nil && ctx.Err() == nil && c.Status != "ready" {
			err = fmt.Errorf("%w (the cluster is in the status %s)", err, c.Status)
		}
		return found, err
	})
}
