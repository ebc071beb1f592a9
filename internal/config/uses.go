package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Kubernetes is a cluster whose images are kept.
type Kubernetes struct {
	Name       string   `yaml:"name,omitempty"` // in reasons; default: the context, or "in-cluster"
	Kubeconfig string   `yaml:"kubeconfig,omitempty" is:"file"`
	Context    string   `yaml:"context,omitempty"`
	InCluster  bool     `yaml:"in_cluster"` // with the service account of the program's own pod
	Namespaces []string `yaml:"namespaces,omitempty" is:"namespace"`
	// ReplicaSets is how many revisions of each workload count, the newest first; 0
	// means all that the cluster has.
	ReplicaSets int  `yaml:"replica_sets,omitempty" min:"1"`
	Required    bool `yaml:"required"`
}

// Defaults sets the values of keys that are not in the file.
func (k *Kubernetes) Defaults() { k.Required = true }

// Label is the name of the cluster in messages. No two clusters of a file share it.
func (k *Kubernetes) Label() string {
	if k.InCluster {
		return cmp.Or(k.Name, "in-cluster")
	}
	return cmp.Or(k.Name, k.Context, k.Kubeconfig)
}

// Optional are the use sources, of those that can be written as one value, that the
// file calls not required.
type Optional struct{ References, Serverless, Kapsule bool }

// The mappings that can be written in place of one value.
type (
	referencesForm struct {
		Path     string `yaml:"path" need:"name the file, or - for standard input"`
		Required bool   `yaml:"required"`
		// MinReferences is how many references it must have at least.
		MinReferences int `yaml:"min_references,omitempty" min:"1"`
	}
	serverlessForm struct {
		Required bool `yaml:"required"`
	}
	kapsuleForm struct {
		Regions  []string `yaml:"regions,omitempty" is:"cluster-region"`
		Clusters []string `yaml:"clusters,omitempty" is:"name-glob"`
		Required bool     `yaml:"required"`
	}
)

func (f *referencesForm) Defaults() { f.Required = true }
func (f *serverlessForm) Defaults() { f.Required = true }
func (f *kapsuleForm) Defaults()    { f.Required = true }

// Alternative is the mapping that can be written in place of one value.
func (p *Protect) Alternative(key string) *strictyaml.Alternative {
	const empty = "write the value alone, or add the key required"
	switch key {
	case "references_file":
		f := &referencesForm{}
		return &strictyaml.Alternative{Into: f, Empty: empty, Apply: func() {
			p.ReferencesFile, p.Optional.References, p.MinReferences = f.Path, !f.Required, f.MinReferences
		}}
	case "serverless":
		f := &serverlessForm{}
		return &strictyaml.Alternative{Into: f, Empty: empty, Apply: func() {
			p.Serverless, p.Optional.Serverless = true, !f.Required
		}}
	case "kapsule":
		f := &kapsuleForm{}
		return &strictyaml.Alternative{Into: f, Empty: "write kapsule: true, or add the keys regions, clusters or required", Apply: func() {
			p.Kapsule, p.Optional.Kapsule = true, !f.Required
			p.KapsuleRegions, p.KapsuleClusters = f.Regions, f.Clusters
		}}
	}
	return nil
}

// document uses the mappings where one value is not enough.
func (p *Protect) document(keys map[string]any) {
	if p.Optional.References || p.MinReferences > 0 {
		form := map[string]any{"path": p.ReferencesFile, "required": !p.Optional.References}
		if p.MinReferences > 0 {
			form["min_references"] = int64(p.MinReferences)
		}
		keys["references_file"] = form
	}
	if p.Optional.Serverless {
		keys["serverless"] = map[string]any{"required": false}
	}
	kapsule := map[string]any{}
	if p.Optional.Kapsule {
		kapsule["required"] = false
	}
	if len(p.KapsuleRegions) > 0 {
		kapsule["regions"] = plainOf(reflect.ValueOf(p.KapsuleRegions))
	}
	if len(p.KapsuleClusters) > 0 {
		kapsule["clusters"] = plainOf(reflect.ValueOf(p.KapsuleClusters))
	}
	if len(kapsule) > 0 {
		keys["kapsule"] = kapsule
	}
}

// checkKubernetes checks the keys of clusters against each other.
func (d checker) checkKubernetes(clusters []Kubernetes) {
	var labels []named
	for i := range clusters {
		k, path := &clusters[i], fmt.Sprintf("protect.kubernetes[%d]", i)
		if !d.Clean(path) {
			continue
		}
		switch {
		case k.InCluster && (k.Kubeconfig != "" || k.Context != ""):
			d.Report(path+".in_cluster", "cannot be used together with kubeconfig or context", "a pod reaches its own cluster without either: remove in_cluster, or the others")
		case !k.InCluster && k.Kubeconfig == "" && k.Context == "":
			d.Report(path, "needs kubeconfig, context or in_cluster", "write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true")
		default:
			label := k.Label()
			labels = append(labels, named{path: path, name: &label})
		}
	}
	d.checkNames(labels, "give each cluster its own name: reasons use it")
}

// checkFile refuses what a shell would expand, because this program does not.
func checkFile(s string) (message, hint string) {
	if strings.HasPrefix(s, "~") || strings.Contains(s, "$") {
		return fmt.Sprintf("is not expanded: %s", strictyaml.Quote(s)), "write the path out; a relative one starts at the folder of this file"
	}
	return "", ""
}

// sentence describes what the cluster keeps.
func (k *Kubernetes) sentence() string {
	var b strings.Builder
	b.WriteString("keeps what the cluster " + k.Label() + " runs")
	if len(k.Namespaces) > 0 {
		b.WriteString(" in " + rules.Named("namespace", slices.Sorted(slices.Values(k.Namespaces))))
	}
	switch {
	case k.ReplicaSets == 0:
		b.WriteString(", or could be rolled back to")
	case k.ReplicaSets > 1:
		b.WriteString(", or could be rolled back to within " + strconv.Itoa(k.ReplicaSets) + " revisions")
	}
	return b.String() + ifOptional(!k.Required)
}

// kapsuleSentence describes what the Kapsule clusters keep.
func (p *Protect) kapsuleSentence() string {
	which := "every Kapsule cluster that the API key can see"
	if len(p.KapsuleClusters) > 0 {
		which = "every Kapsule cluster " + text.List(slices.Sorted(slices.Values(p.KapsuleClusters)), "or")
	}
	if len(p.KapsuleRegions) > 0 {
		which += " in " + text.List(slices.Sorted(slices.Values(p.KapsuleRegions)), "or")
	}
	return "keeps what " + which + " runs, or could be rolled back to" + ifOptional(p.Optional.Kapsule)
}

// ifOptional ends the sentence of a source that is not required.
func ifOptional(optional bool) string {
	if optional {
		return "; if it cannot be reached, the run only warns"
	}
	return ""
}
