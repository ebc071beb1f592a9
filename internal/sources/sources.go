package sources

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/kube"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// New makes the use sources of a configuration, without those of Kapsule. Those of
// serverless are read if the configuration names them. Stdin is read, once, if the references file is "-".
// The options hold what all clusters share: UserAgent and Logger.
func New(c *config.Config, stdin io.Reader, serverless []uses.Source, o kube.Options) *uses.Set {
	set := referenceUses(c, stdin)
	for _, s := range sourcesOf(c) {
		set.Require(s.key, s.required)
		switch {
		case s.cluster != nil:
			cluster := newCluster(c, s.cluster, o)
			set.Add(s.key, uses.Parsed(cluster.Name(), cluster.Uses))
		case s.kind == "serverless":
			for _, source := range serverless {
				set.Add(s.key, source)
			}
		}
	}
	return set
}

// Recorded makes the use sources beside the uses in an inventory: the
// references file, and a source that fails in place of each that the inventory did
// not ask.
func Recorded(c *config.Config, stdin io.Reader, h scanner.Header) *uses.Set {
	set := referenceUses(c, stdin)
	for _, s := range sourcesOf(c) {
		set.Require(s.key, s.required)
		if !slices.Contains(h.Sources, s.key) {
			set.Add(s.key, uses.Unread(s.name, errors.New("the inventory was taken without reading this use source: take the scan again with this protect."+s.kind)))
		}
	}
	return set
}

// referenceUses is a set with the references file alone, if there is one.
func referenceUses(c *config.Config, stdin io.Reader) *uses.Set {
	set := &uses.Set{}
	if c.Protect.ReferencesFile != "" {
		set.SetFile(referencesSource(c, stdin), !c.Protect.Optional.References, c.Protect.MinReferences)
	}
	return set
}

// ReferencesName is what reasons call the references file; "" without one.
func ReferencesName(c *config.Config) string {
	if c.Protect.ReferencesFile == "" {
		return ""
	}
	return referencesSource(c, nil).Name()
}

// referencesSource is the references file of a configuration that has one.
func referencesSource(c *config.Config, stdin io.Reader) uses.Source {
	if c.Protect.ReferencesFile == config.StandardInput {
		return uses.Stdin(stdin)
	}
	return uses.File(c.Protect.ReferencesFile, c.Resolve(c.Protect.ReferencesFile))
}

func newCluster(c *config.Config, k *config.Kubernetes, o kube.Options) *kube.Cluster {
	o.Name, o.Context, o.Kubeconfig = k.Name, k.Context, c.Resolve(k.Kubeconfig)
	o.Namespaces, o.ReplicaSets = k.Namespaces, k.ReplicaSets
	if k.InCluster {
		o.InCluster = true
	}
	return kube.New(o)
}

// useSource is the configuration of a use source other than the references
// file, which is read again for each run.
type useSource struct {
	kind     string // its key in protect
	key      string // in inventories
	name     string // of the gap if it is not read
	required bool
	cluster  *config.Kubernetes // of the kind kubernetes
}

func sourcesOf(c *config.Config) []useSource {
	var all []useSource
	if c.Protect.Serverless {
		all = append(all, useSource{"serverless", "serverless", "serverless", !c.Protect.Optional.Serverless, nil})
	}
	if c.Protect.Kapsule {
		all = append(all, useSource{"kapsule", KapsuleKey(&c.Protect), "kapsule clusters", !c.Protect.Optional.Kapsule, nil})
	}
	for i := range c.Protect.Kubernetes {
		k := &c.Protect.Kubernetes[i]
		all = append(all, useSource{"kubernetes", clusterKey(k), "kubernetes " + k.Label(), k.Required, k})
	}
	return all
}

// KapsuleKey identifies the Kapsule clusters that are read.
func KapsuleKey(p *config.Protect) string {
	key := "kapsule"
	if len(p.KapsuleClusters) > 0 {
		key += " " + strings.Join(slices.Sorted(slices.Values(p.KapsuleClusters)), " ")
	}
	if len(p.KapsuleRegions) > 0 {
		key += " in " + strings.Join(slices.Sorted(slices.Values(p.KapsuleRegions)), " ")
	}
	return key
}

// clusterKey identifies a cluster and what is read of it: other namespaces or a longer
// history give another key.
func clusterKey(k *config.Kubernetes) string {
	var of []string
	add := func(key, value string) {
		if value != "" {
			of = append(of, key+" "+value)
		}
	}
	add("kubeconfig", k.Kubeconfig)
	add("context", k.Context)
	add("namespaces", strings.Join(slices.Sorted(slices.Values(k.Namespaces)), " "))
	if k.ReplicaSets > 0 {
		add("replica sets", fmt.Sprint(k.ReplicaSets))
	}
	key := "kubernetes " + k.Label()
	if len(of) > 0 {
		key += " (" + strings.Join(of, ", ") + ")"
	}
	return key
}

// Keys are the use sources that a scan reads.
func Keys(c *config.Config) []string {
	var keys []string
	for _, s := range sourcesOf(c) {
		keys = append(keys, s.key)
	}
	return keys
}

// Any reports whether uses may be found after the scan began.
func Any(c *config.Config) bool {
	return c.Protect.ReferencesFile != "" || len(sourcesOf(c)) > 0
}

// Same reports whether two configurations look for uses in the same places.
func Same(a, b config.Protect) bool {
	return a.ReferencesFile == b.ReferencesFile && a.Serverless == b.Serverless && a.Optional == b.Optional && a.MinReferences == b.MinReferences &&
		a.Kapsule == b.Kapsule && KapsuleKey(&a) == KapsuleKey(&b) && reflect.DeepEqual(a.Kubernetes, b.Kubernetes)
}
