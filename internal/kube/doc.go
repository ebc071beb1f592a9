// Package kube asks a Kubernetes cluster which images it uses: those of its pods,
// by tag and by the digest that a node resolved it to, and those of whatever makes
// pods, now or when somebody rolls back.
//
// It speaks to the API with the connection of client-go alone (kubeconfig, exec
// plugins, certificates, tokens of service accounts), and reads lists, page by
// page and one object at a time, into as little as it needs of them. It asks for
// nothing but list rights.
//
// It must never send anything but GET, follow a redirect with its credentials, or
// put one of them into an error. It must never take a list that it could not read
// to its end for a whole one.
package kube
