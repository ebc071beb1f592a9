package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// object is the part of any listed object that matters here.
type object struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		pod                   // of a Pod
		Replicas    *int32    `json:"replicas"`
		Template    *template `json:"template"` // of what makes pods
		JobTemplate *struct { // of a CronJob
			Spec struct {
				Template *template `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
	Status struct { // of a Pod
		Containers          []containerStatus `json:"containerStatuses"`
		InitContainers      []containerStatus `json:"initContainerStatuses"`
		EphemeralContainers []containerStatus `json:"ephemeralContainerStatuses"`
	} `json:"status"`
	Revision int64           `json:"revision"` // of a ControllerRevision, as is Data
	Data     json.RawMessage `json:"data"`
}

type metadata struct {
	Name      string  `json:"name"`
	Namespace string  `json:"namespace"`
	Owners    []owner `json:"ownerReferences"`
	Labels    struct {
		Hash string `json:"pod-template-hash"`
	} `json:"labels"`
	Annotations struct {
		Revision string `json:"deployment.kubernetes.io/revision"`
	} `json:"annotations"`
}

// owner is another object in the same namespace that makes and removes this one.
type owner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller bool   `json:"controller"`
}

type template struct {
	Spec pod `json:"spec"`
}

// pod is the specification of a pod.
type pod struct {
	Containers          []container `json:"containers"`
	InitContainers      []container `json:"initContainers"`
	EphemeralContainers []container `json:"ephemeralContainers"`
	Volumes             []struct {
		// Image is set for a volume that is an image (Kubernetes 1.31).
		Image *struct {
			Reference string `json:"reference"`
		} `json:"image"`
	} `json:"volumes"`
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

type containerStatus struct {
	Name string `json:"name"`
	// ImageID is the image that the node resolved, and runs.
	ImageID string `json:"imageID"`
}

// pod returns what the object runs, or has run. An object that must have a
// container and has none is an error: it was not understood.
func (o *object) pod(kind string) (*pod, error) {
	if o.Metadata.Name == "" {
		return nil, errors.New("it has no name")
	}
	var p *pod
	switch {
	case kind == kindPod:
		p = &o.Spec.pod
	case kind == kindControllerRevision:
		return o.revised()
	case kind == kindCronJob && o.Spec.JobTemplate != nil && o.Spec.JobTemplate.Spec.Template != nil:
		p = &o.Spec.JobTemplate.Spec.Template.Spec
	case kind != kindCronJob && o.Spec.Template != nil:
		p = &o.Spec.Template.Spec
	}
	if p == nil || len(p.Containers) == 0 {
		return nil, fmt.Errorf("%s %s does not list its containers", kind, o.Metadata.path())
	}
	return p, nil
}

// revised returns the pod of an earlier StatefulSet or DaemonSet. The data of other
// controllers may have any shape: it counts if it has the same one.
func (o *object) revised() (*pod, error) {
	var data struct {
		Spec struct {
			Template template `json:"template"`
		} `json:"spec"`
	}
	err := json.Unmarshal(o.Data, &data)
	known := slices.Contains([]string{kindStatefulSet, kindDaemonSet}, o.Metadata.controller().Kind)
	if known && (err != nil || len(data.Spec.Template.Spec.Containers) == 0) {
		return nil, fmt.Errorf("%s %s does not list its containers", kindControllerRevision, o.Metadata.path())
	}
	return &data.Spec.Template.Spec, nil
}

// images returns the images in the specification of a pod.
func (p *pod) images() []string {
	var images []string
	for _, containers := range [][]container{p.InitContainers, p.Containers, p.EphemeralContainers} {
		for _, c := range containers {
			images = append(images, c.Image)
		}
	}
	for _, v := range p.Volumes {
		if v.Image != nil {
			images = append(images, v.Image.Reference)
		}
	}
	return images
}

// resolved calls yield with the image of each container, and with the image ID that
// the node resolved it to.
func (o *object) resolved(yield func(image, id string)) {
	images := map[string]string{}
	for _, containers := range [][]container{o.Spec.InitContainers, o.Spec.Containers, o.Spec.EphemeralContainers} {
		for _, c := range containers {
			images[c.Name] = c.Image
		}
	}
	for _, statuses := range [][]containerStatus{o.Status.InitContainers, o.Status.Containers, o.Status.EphemeralContainers} {
		for _, s := range statuses {
			yield(images[s.Name], s.ImageID)
		}
	}
}

// path is namespace/name.
func (m *metadata) path() string { return m.Namespace + "/" + m.Name }

// controller returns the owner that makes and removes the object; zero if there is
// none.
func (m *metadata) controller() owner {
	for _, o := range m.Owners {
		if o.Controller {
			return o
		}
	}
	if len(m.Owners) == 1 {
		return m.Owners[0]
	}
	return owner{}
}

// revision is the number of the revision of a Deployment that a ReplicaSet is.
func (m *metadata) revision() (int64, bool) {
	n, err := strconv.ParseInt(m.Annotations.Revision, 10, 64)
	return n, err == nil
}

// deployment is the Deployment of the ReplicaSet of a pod, by the name that a
// Deployment gives to its ReplicaSets.
func (m *metadata) deployment(replicaSet string) (string, bool) {
	if m.Labels.Hash == "" {
		return "", false
	}
	return strings.CutSuffix(replicaSet, "-"+m.Labels.Hash)
}
