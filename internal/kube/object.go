package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// object is what matters here of any object that is listed.
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

// owner is who makes and removes an object, in its own namespace.
type owner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller bool   `json:"controller"`
}

type template struct {
	Spec pod `json:"spec"`
}

// pod is what a pod runs.
type pod struct {
	Containers          []container `json:"containers"`
	InitContainers      []container `json:"initContainers"`
	EphemeralContainers []container `json:"ephemeralContainers"`
	Volumes             []struct {
		// Image is the volume that an image is (Kubernetes 1.31).
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
	// ImageID is the image that the node resolved and runs.
	ImageID string `json:"imageID"`
}

// pod is what the object runs, or has run. One that must have a container and has
// none was not understood.
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
		return nil, fmt.Errorf("%s %s does not say its containers", kind, o.Metadata.path())
	}
	return p, nil
}

// revised is the pod of an earlier StatefulSet or DaemonSet. What other
// controllers keep there is their own affair: it counts if it looks the same.
func (o *object) revised() (*pod, error) {
	var data struct {
		Spec struct {
			Template template `json:"template"`
		} `json:"spec"`
	}
	err := json.Unmarshal(o.Data, &data)
	known := slices.Contains([]string{kindStatefulSet, kindDaemonSet}, o.Metadata.controller().Kind)
	if known && (err != nil || len(data.Spec.Template.Spec.Containers) == 0) {
		return nil, fmt.Errorf("%s %s does not say its containers", kindControllerRevision, o.Metadata.path())
	}
	return &data.Spec.Template.Spec, nil
}

// images are the images that a pod is defined with.
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

// resolved calls with the image of each container as it is defined, and with
// what the node made of it.
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

// path is the namespace and the name.
func (m *metadata) path() string { return m.Namespace + "/" + m.Name }

// controller is who makes and removes the object; the zero owner is nobody.
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

// revision is which revision of its Deployment a ReplicaSet is.
func (m *metadata) revision() (int64, bool) {
	n, err := strconv.ParseInt(m.Annotations.Revision, 10, 64)
	return n, err == nil
}

// deployment is whose ReplicaSet a pod is of, by the name that Deployments give
// to theirs.
func (m *metadata) deployment(replicaSet string) (string, bool) {
	if m.Labels.Hash == "" {
		return "", false
	}
	return strings.CutSuffix(replicaSet, "-"+m.Labels.Hash)
}
