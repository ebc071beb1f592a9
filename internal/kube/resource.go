package kube

import (
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
)

// Resource is a kind of object that is listed.
type Resource struct {
	Group, Version string // "" is the core group
	Name           string // in the plural: "deployments"
	Kind           string // of one object: "Deployment"
	// Since is the first release of Kubernetes that serves this version; "" is every one.
	Since string
	// OnlyVersion: there was never another version, so a cluster that does not serve
	// this one has no such object. Otherwise it may have objects of another version.
	OnlyVersion bool
}

// Resources returns everything that is listed, so an account needs the right to
// list each of them. The owners of pods come before the pods.
func Resources() []Resource {
	return []Resource{
		{Group: "apps", Version: "v1", Name: "deployments", Kind: "Deployment", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "replicasets", Kind: "ReplicaSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "statefulsets", Kind: "StatefulSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "daemonsets", Kind: "DaemonSet", Since: "1.9"},
		{Group: "apps", Version: "v1", Name: "controllerrevisions", Kind: "ControllerRevision", OnlyVersion: true},
		{Group: "batch", Version: "v1", Name: "jobs", Kind: "Job"},
		{Group: "batch", Version: "v1", Name: "cronjobs", Kind: "CronJob", Since: "1.21"},
		{Version: "v1", Name: "replicationcontrollers", Kind: "ReplicationController", OnlyVersion: true},
		{Version: "v1", Name: "pods", Kind: kindPod},
	}
}

// The kinds that are read, or whose objects own others, in a special way.
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

// page requests one page of the list, in one namespace or ("") in every one.
func (r Resource) page(c *client, namespace, next string) *rest.Request {
	request := c.request("api", r.Version)
	if r.Group != "" {
		request = c.request("apis", r.Group, r.Version)
	}
	request = request.Namespace(namespace).Resource(r.Name).Param("limit", strconv.Itoa(c.limits.page))
	if next != "" {
		request = request.Param("continue", next)
	}
	return request
}

// absent is the error that the cluster does not serve the resource.
func (r Resource) absent() string {
	version := strings.TrimPrefix(r.Group+"/"+r.Version, "/")
	if r.Since == "" {
		return "the cluster does not serve " + version
	}
	return "the cluster does not serve them in " + version + ", as Kubernetes does since " + r.Since
}
