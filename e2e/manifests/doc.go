// Package manifests has the tests of what is installed from examples/: the
// Kubernetes manifests, built by kustomize and decoded by the types of the API,
// and the units of systemd. It must never talk to a cluster.
package manifests
