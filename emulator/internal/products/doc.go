// Package products is what the emulator has of other APIs of the provider: the lists of
// Serverless Containers and Jobs and of the clusters of Kubernetes Kapsule, with their
// kubeconfigs. A [Route] is the path of such a call, and [Products] answer it.
//
// It must never know the registry, or change anything after the start.
package products
