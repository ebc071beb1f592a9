// Package kube reads from a Kubernetes cluster which images it uses: the images of its
// pods, by tag and by the digest that a node resolved the tag to, and the images
// of every workload that makes pods, now or after a rollback. Its nouns are the
// cluster, the resources that it lists, their objects, and the survey that collects
// what they use.
//
// It talks to the API through the REST client of client-go (kubeconfig, exec
// plugins, certificates, tokens of service accounts). It reads lists page by page
// and object by object, and keeps only what it needs. It needs no other right than
// to list.
//
// It must never send anything but GET, follow a redirect with its credentials, or
// put a credential into an error. It must never take a list that it could not read
// to the end for a complete one.
package kube
