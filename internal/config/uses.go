package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Kubernetes is a cluster whose images stay.
type Kubernetes struct {
	Name       string   `yaml:"name,omitempty"` // how reasons call it; default: the context, or "in-cluster"
	Kubeconfig string   `yaml:"kubeconfig,omitempty" is:"file"`
	Context    string   `yaml:"context,omitempty"`
	InCluster  bool     `yaml:"in_cluster"` // by the service account of the pod that asks
	Namespaces []string `yaml:"namespaces,omitempty" is:"namespace"`
	// ReplicaSets is how many revisions of each workload count, the newest first; 0
	// is all that the cluster remembers.
	ReplicaSets int  `yaml:"replica_sets,omitempty" min:"1"`
	Required    bool `yaml:"required"`
}

func (k *Kubernetes) Defaults() { k.Required = true }

// Label is what the file calls the cluster, by which one is told from another.
func (k *Kubernetes) Label() string {
	if k.InCluster {
		return cmp.Or(k.Name, "in-cluster")
	}
	return cmp.Or(k.Name, k.Context, k.Kubeconfig)
}

// Optional are the sources of uses that are written as one value, and of which
// the file says that they are not required.
type Optional struct{ References, Serverless bool }

// The mappings that may stand in place of one value.
type (
	referencesForm struct {
		Path     string `yaml:"path" need:"name the file, or - for standard input"`
		Required bool   `yaml:"required"`
	}
	serverlessForm struct {
		Required bool `yaml:"required"`
	}
)

func (f *referencesForm) Defaults() { f.Required = true }
func (f *serverlessForm) Defaults() { f.Required = true }

// Alternative is the mapping that may be written in place of one value.
func (p *Protect) Alternative(key string) *strictyaml.Alternative {
	const empty = "write the value alone, or say whether it is required"
	switch key {
	case "references_file":
		f := &referencesForm{}
		return &strictyaml.Alternative{Into: f, Empty: empty, Apply: func() {
			p.ReferencesFile, p.Optional.References = f.Path, !f.Required
		}}
	case "serverless":
		f := &serverlessForm{}
		return &strictyaml.Alternative{Into: f, Empty: empty, Apply: func() {
			p.Serverless, p.Optional.Serverless = true, !f.Required
		}}
	}
	return nil
}

// document puts the long forms where they are needed.
func (p *Protect) document(keys map[string]any) {
	if p.Optional.References {
		keys["references_file"] = map[string]any{"path": p.ReferencesFile, "required": false}
	}
	if p.Optional.Serverless {
		keys["serverless"] = map[string]any{"required": false}
	}
}

// KubeconfigPath is the file by which a cluster is reached, a relative path
// resolved against the folder of the configuration file; "" is what kubectl takes.
func (c *Config) KubeconfigPath(k *Kubernetes) string {
	if k.Kubeconfig == "" {
		return ""
	}
	return c.resolve(k.Kubeconfig)
}

// checkKubernetes checks what holds between the keys of clusters.
func (d checker) checkKubernetes(clusters []Kubernetes) {
	first := map[string]string{}
	for i := range clusters {
		k, path := &clusters[i], fmt.Sprintf("protect.kubernetes[%d]", i)
		if !d.Clean(path) {
			continue
		}
		switch {
		case k.InCluster && (k.Kubeconfig != "" || k.Context != ""):
			d.Report(path+".in_cluster", "excludes kubeconfig and context", "a pod reaches its own cluster without either: remove in_cluster, or remove them")
			continue
		case !k.InCluster && k.Kubeconfig == "" && k.Context == "":
			d.Report(path, "does not say which cluster", "write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true")
			continue
		}
		if other, ok := first[k.Label()]; ok {
			d.Report(path, fmt.Sprintf("has the same name as %s: %s", other, strictyaml.Quote(k.Label())), "give each cluster its own name: reasons tell clusters apart by it")
			continue
		}
		first[k.Label()] = path
	}
}

var kubernetesNamespace = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func checkKubernetesNamespace(s string) (message, hint string) {
	if !kubernetesNamespace.MatchString(s) {
		return fmt.Sprintf("is no namespace of Kubernetes: %s", strictyaml.Quote(s)), "write its whole name; for all namespaces, remove the key"
	}
	return "", ""
}

// checkFile refuses what a shell would expand, and this program does not.
func checkFile(s string) (message, hint string) {
	if strings.HasPrefix(s, "~") || strings.Contains(s, "$") {
		return fmt.Sprintf("is not expanded: %s", strictyaml.Quote(s)), "write the path out; a relative one starts at the folder of this file"
	}
	return "", ""
}

// words say what the cluster keeps.
func (k *Kubernetes) words() string {
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
	return b.String() + optionalWords(!k.Required)
}

// optionalWords end the sentence of a source that need not answer.
func optionalWords(optional bool) string {
	if optional {
		return "; that it cannot be asked is only a warning"
	}
	return ""
}
