package kube

import (
	"net/url"
	"strconv"
	"strings"
)

// Resource is a kind of object that is listed.
type Resource struct {
	Group, Version string // "" is the core group
	Name           string // in the plural: "deployments"
	Kind           string // of one object: "Deployment"
	// Since is the release of Kubernetes that serves this version; "" is every one.
	Since string
	// Missing says what it means that a cluster does not serve it at all: nothing,
	// where no object of it can exist without being served.
	Missing Missing
}

// Missing is what it means that a cluster does not serve a resource.
type Missing int

// The meanings.
const (
	// IsUnknown: the cluster may serve it in a version that is not asked for.
	IsUnknown Missing = iota
	// IsNone: there was never another version, so there is no object.
	IsNone
)

// Resources are all that is listed, and so all that an account needs the right to
// list. Whoever owns pods comes before the pods.
func Resources() []Resource {
	return []Resource{
		{Group: "apps", Version: "v1", Name: "deployments", Kind: "Deployment", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "replicasets", Kind: "ReplicaSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "statefulsets", Kind: "StatefulSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "daemonsets", Kind: "DaemonSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "controllerrevisions", Kind: "ControllerRevision", Missing: IsNone},
		{Group: "batch", Version: "v1", Name: "jobs", Kind: "Job"},
		{Group: "batch", Version: "v1", Name: "cronjobs", Kind: "CronJob", Since: "1.21"},
		{Version: "v1", Name: "replicationcontrollers", Kind: "ReplicationController", Missing: IsNone},
		{Version: "v1", Name: "pods", Kind: kindPod},
	}
}

// The kinds whose objects are read in a way of their own, or that own such.
const (
	kindPod                = "Pod"
	kindReplicaSet         = "ReplicaSet"
	kindDeployment         = "Deployment"
	kindStatefulSet        = "StatefulSet"
	kindDaemonSet          = "DaemonSet"
	kindJob                = "Job"
	kindCronJob            = "CronJob"
	kindControllerRevision = "ControllerRevision"
)

// String is how Kubernetes writes it: "deployments.apps".
func (r Resource) String() string {
	if r.Group == "" {
		return r.Name
	}
	return r.Name + "." + r.Group
}

// list is where one page of the list is, in one namespace or ("") in all.
func (r Resource) list(namespace string, limit int, next string) (path []string, query url.Values) {
	path = []string{"api", r.Version}
	if r.Group != "" {
		path = []string{"apis", r.Group, r.Version}
	}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	query = url.Values{"limit": {strconv.Itoa(limit)}}
	if next != "" {
		query.Set("continue", next)
	}
	return append(path, r.Name), query
}

// absent is what to do about a resource that the cluster does not serve.
func (r Resource) absent() string {
	version := strings.TrimPrefix(r.Group+"/"+r.Version, "/")
	if r.Since == "" {
		return "the cluster does not serve " + version
	}
	return "the cluster does not serve " + version + " of them, which Kubernetes does since " + r.Since
}
