// Package manifests tests the files of examples/ that operators install: the
// Kubernetes manifests, built by kustomize, and the chart, rendered by Helm, both decoded
// with the API's types, and the units of systemd. It must never talk to a cluster.
package manifests
